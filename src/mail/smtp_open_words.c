/* Why a session could not be opened, and what an admin can do about it. */

#include "smtp_private.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "mail_private.h"

/* X509_V_ERR_... of OpenSSL, as CURLINFO_SSL_VERIFYRESULT gives them. */
enum {
	CERT_NOT_YET_VALID = 9,
	CERT_EXPIRED = 10,
	CERT_SELF_SIGNED = 18,
	CERT_SELF_SIGNED_IN_CHAIN = 19,
	CERT_ISSUER_UNKNOWN = 20,
	CERT_LEAF_ISSUER_UNKNOWN = 21,
};

#define HINT_CA                                                      \
	"if it is, or comes from, a CA of your own, name that CA's " \
	"file in smtp.ca_file"
#define HINT_LATER "the same may work later"
#define HINT_URL "check smtp.url"

struct saying {
	const char *what;
	const char *hint;
};

static struct saying say_certificate(const struct smtp_session *session)
{
	long result = 0;

	curl_easy_getinfo(session->easy, CURLINFO_SSL_VERIFYRESULT, &result);
	switch (result) {
	case CERT_NOT_YET_VALID:
		return (struct saying){
			"has a certificate that is not valid yet",
			"check the clocks of both machines"};
	case CERT_EXPIRED:
		return (struct saying){"has a certificate that has expired",
		                       "its admin must renew it"};
	case CERT_SELF_SIGNED:
		return (struct saying){"has a self-signed certificate",
		                       HINT_CA};
	case CERT_SELF_SIGNED_IN_CHAIN:
	case CERT_ISSUER_UNKNOWN:
	case CERT_LEAF_ISSUER_UNKNOWN:
		return (struct saying){
			"has a certificate from a CA that is "
			"not trusted here",
			HINT_CA};
	default:
		return (struct saying){"has a certificate that does not fit",
		                       "smtp.url must hold a name that is in "
		                       "the certificate"};
	}
}

static struct saying say_timeout(const struct smtp_session *session)
{
	curl_off_t look_up_us = 0;
	curl_off_t connect_us = 0;

	curl_easy_getinfo(session->easy, CURLINFO_NAMELOOKUP_TIME_T,
	                  &look_up_us);
	curl_easy_getinfo(session->easy, CURLINFO_CONNECT_TIME_T, &connect_us);
	if (look_up_us == 0)
		return (struct saying){
			"cannot be found, because DNS does not answer",
			"check the name servers in /etc/resolv.conf"};
	if (connect_us == 0)
		return (struct saying){
			"does not answer",
			"check smtp.url, and that no firewall is in the way"};
	if (session->is_greeted)
		return (struct saying){
			"stopped answering while the session was opened",
			HINT_LATER};
	if (session->is_smtps)
		return (struct saying){
			"takes the connection, but no TLS comes about",
			"a port that does not begin with TLS (587, 25) needs "
			"smtp:// in smtp.url"};
	return (struct saying){"takes the connection, but sends no greeting",
	                       "a port that begins with TLS (465) needs "
	                       "smtps:// in smtp.url"};
}

/* What the big providers want in place of the account's password. */
static const char *hint_login(const struct smtp_session *session)
{
	static const struct {
		const char *host;
		const char *hint;
	} providers[] = {
		{"gmail.com",
	         "Gmail wants an app password (Google account, "
	         "Security, App passwords), not the account's"},
		{"googlemail.com",
	         "Gmail wants an app password (Google account, Security, App "
	         "passwords), not the account's"},
		{"office365.com",
	         "Microsoft 365 has switched off logins with a password for "
	         "most accounts: its admin must allow SMTP AUTH, or use "
	         "another relay"},
		{"outlook.com",
	         "Outlook.com takes no logins with a password "
	         "any more: use another relay"},
		{"hotmail.com",
	         "Outlook.com takes no logins with a password "
	         "any more: use another relay"},
		{"mail.yahoo.com",
	         "Yahoo wants an app password, not the "
	         "account's"},
		{"mail.me.com",
	         "iCloud wants an app-specific password, not "
	         "the account's"},
	};
	struct span host = span_first(span_of(session->where),
	                              span_find(span_of(session->where), ":"));

	for (size_t i = 0; i < sizeof(providers) / sizeof(*providers); i++)
		if (span_ends(host, providers[i].host))
			return providers[i].hint;
	return "check smtp.username and smtp.password_file; providers with "
	       "two-step login want an app password";
}

static struct saying say_login(const struct smtp_session *session)
{
	if (session->is_plain_refused)
		return (struct saying){
			"would get the password unencrypted",
			"set smtp.tls to \"required\", or leave out "
			"smtp.username"};
	if (session->reply.code / 100 == 4)
		return (struct saying){"cannot check the login now",
		                       HINT_LATER};
	if (session->reply.code / 100 == 5)
		return (struct saying){"refuses the login",
		                       hint_login(session)};
	return (struct saying){
		"offers no login of the kinds PLAIN and LOGIN",
		"check the port in smtp.url (587 and 465 are for logins), or "
		"leave out smtp.username"};
}

static struct saying say_tls(const struct smtp_session *session)
{
	if (session->is_smtps)
		return (struct saying){
			"does not begin with TLS that both sides know",
			"a port that does not begin with TLS (587, 25) needs "
			"smtp:// in smtp.url"};
	return (struct saying){
		"offers STARTTLS, but no TLS comes about that both sides know",
		"its admin must update its TLS"};
}

static struct saying say_refusal(const struct smtp_session *session)
{
	if (session->reply.code / 100 == 4)
		return (struct saying){"takes no sessions now", HINT_LATER};
	if (session->reply.code / 100 == 5)
		return (struct saying){
			"refuses this machine",
			"its admin can say why; it may take mail only with a "
			"login on port 587 or 465"};
	return (struct saying){"does not speak SMTP as it should", HINT_URL};
}

static int os_errno(const struct smtp_session *session)
{
	long number = 0;

	if (session->no_socket)
		return session->no_socket;
	curl_easy_getinfo(session->easy, CURLINFO_OS_ERRNO, &number);
	return (int)number;
}

static struct saying say_unreached(const struct smtp_session *session)
{
	if (session->no_socket)
		return (struct saying){
			"gets no connection",
			"this machine gives no socket for it: see its limits"};
	return (struct saying){"cannot be reached",
	                       "check smtp.url, that the server runs, and that "
	                       "no firewall is in the way"};
}

static struct saying say_opening(CURLcode code,
                                 const struct smtp_session *session)
{
	switch ((int)code) {
	case CURLE_OK:
	case CURLE_LOGIN_DENIED:
		return say_login(session);
	case CURLE_WRITE_ERROR:
		return (struct saying){"sent no SMTP reply", HINT_URL};
	case CURLE_COULDNT_RESOLVE_HOST:
		return (struct saying){
			"has no address that this machine can find",
			"check the name in smtp.url, and DNS"};
	case CURLE_COULDNT_CONNECT:
		return say_unreached(session);
	case CURLE_OPERATION_TIMEDOUT:
		return say_timeout(session);
	case CURLE_PEER_FAILED_VERIFICATION:
		return say_certificate(session);
	case CURLE_SSL_CACERT_BADFILE:
		return (struct saying){"cannot be verified",
		                       "check smtp.ca_file"};
	case CURLE_USE_SSL_FAILED:
		return (struct saying){
			"offers no STARTTLS, and nothing is sent without TLS",
			"use the port for it (587), or smtps:// on 465"};
	case CURLE_SSL_CONNECT_ERROR:
		return say_tls(session);
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
		return (struct saying){
			"closed the connection while the session was opened",
			HINT_LATER};
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_REMOTE_ACCESS_DENIED:
		return say_refusal(session);
	default:
		return (struct saying){"cannot be used", HINT_URL};
	}
}

/* The words of the system or of libcurl, where ours do not say it all. */
static void add_details(struct buf *out, CURLcode code,
                        const struct smtp_session *session)
{
	if (code == CURLE_COULDNT_CONNECT) {
		if (os_errno(session))
			buf_add_str(out, strerrordesc_np(os_errno(session)));
	} else if (session->no_reply.kind) {
		buf_add_str(out, session->no_reply.message);
	} else if (code == CURLE_OPERATION_TIMEDOUT) {
		buf_addf(out, "within %u s", session->options->timeout_s);
	} else if (code && code != CURLE_LOGIN_DENIED &&
	           code != CURLE_COULDNT_RESOLVE_HOST &&
	           session->reply.code < 400) {
		mail_add_one_line(out, span_of(session->curl_words));
	}
}

void smtp_judge_opening(struct smtp_outcome *outcome, CURLcode code,
                        const struct smtp_session *session)
{
	struct saying saying;
	owned(buf) struct buf details = BUF_INIT(CURL_ERROR_SIZE);
	owned(mem) char *what = NULL;
	bool is_login;

	if (session->is_plain_refused)
		code = CURLE_LOGIN_DENIED;
	else if (code == CURLE_COULDNT_CONNECT &&
	         os_errno(session) == ECONNRESET)
		code = CURLE_RECV_ERROR; /* it was quicker than we */
	else if (strstr(session->curl_words, "Too large response"))
		code = CURLE_WRITE_ERROR; /* libcurl's own limit came first */
	is_login = code == CURLE_OK || code == CURLE_LOGIN_DENIED;
	*outcome = (struct smtp_outcome){
		.verdict = SMTP_RELAY,
		.stage = is_login ? SMTP_STAGE_LOGIN : SMTP_STAGE_CONNECT,
		.closed = true,
	};
	if (session->reply.code >= 400)
		smtp_quote(outcome, &session->reply);
	saying = say_opening(code, session);
	add_details(&details, code, session);
	what = details.len > 0
	               ? mem_printf("%s (%s)", saying.what, buf_str(&details))
	               : mem_dup(saying.what);
	smtp_say(outcome, session->where, what, saying.hint);
}
