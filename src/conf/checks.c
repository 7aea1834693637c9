#include <errno.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/num.h"
#include "conf/formats.h"
#include "conf_private.h"
#include "mail/address.h"

int conf_check_address(const char *text, struct error *err)
{
	return mail_check_address(span_of(text), err);
}

int conf_check_folder(const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st))
		return error_set(err, ERROR_SYSTEM, "%s: %s", path,
		                 strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return error_set(err, ERROR_SYSTEM, "%s: is not a folder",
		                 path);
	return 0;
}

/* The first start creates it. */
int conf_check_folder_to_be(const char *path, struct error *err)
{
	struct stat st;

	return stat(path, &st) ? 0 : conf_check_folder(path, err);
}

int conf_check_file(const char *path, struct error *err)
{
	return access(path, R_OK) ? error_set(err, ERROR_SYSTEM, "%s: %s", path,
	                                      strerror(errno))
	                          : 0;
}

int conf_check_list_id(const char *text, struct error *err)
{
	if (conf_is_dotted_name(span_of(text)))
		return 0;
	return error_set(err, ERROR_SYNTAX,
	                 "\"%s\" is no list id: write letters and digits with "
	                 "dots between, such as arxmail.example.org",
	                 text);
}

static int check_mailto(const char *text, struct error *err)
{
	struct span address = span_skip(span_of(text), strlen("mailto:"));

	address = span_first(address, span_find(address, "?"));
	return mail_check_address(address, err);
}

/* It stands between < and > in a header. */
int conf_check_unsubscribe(const char *text, struct error *err)
{
	struct conf_url url;
	struct error ignored = {0};

	if (span_starts(span_of(text), "mailto:"))
		return check_mailto(text, err);
	if (!strncasecmp(text, "https://", strlen("https://")))
		return conf_parse_url(&url, span_of(text), err);
	if (mail_check_address(span_of(text), &ignored) == 0)
		return error_set(err, ERROR_SYNTAX,
		                 "is an address: did you mean \"mailto:%s\"?",
		                 text);
	return error_set(err, ERROR_SYNTAX,
	                 "write a mailto: or https: URL, such as "
	                 "\"mailto:digest@example.org\"");
}

/* The text is not repeated: there may be a password in it. */
static int refuse_user(const char *instead, struct error *err)
{
	return error_set(err, ERROR_SYNTAX,
	                 "has a user name in it: write %s instead", instead);
}

/* HOST or HOST:PORT, where smtp://HOST:PORT belongs. */
static int refuse_bare_host(const char *text, struct error *err)
{
	const char *scheme =
		span_ends(span_of(text), ":465") ? "smtps" : "smtp";

	return error_set(err, ERROR_SYNTAX,
	                 "has no scheme: did you mean \"%s://%s\"?", scheme,
	                 text);
}

int conf_check_smtp_url(const char *text, struct error *err)
{
	struct conf_url url;

	if (strchr(text, '@'))
		return refuse_user("smtp.username and smtp.password_file", err);
	if (!strstr(text, "://"))
		return refuse_bare_host(text, err);
	if (conf_parse_url(&url, span_of(text), err) < 0)
		return -1;
	if (!span_is(url.scheme, "smtp") && !span_is(url.scheme, "smtps"))
		return error_set(err, ERROR_SYNTAX,
		                 "\"%.*s\" is not smtp or smtps",
		                 (int)url.scheme.len, url.scheme.ptr);
	if (url.path.len > 0)
		return error_set(err, ERROR_SYNTAX,
		                 "\"%s\" behind the host means nothing to a "
		                 "mail server",
		                 url.path.ptr);
	return 0;
}

int conf_check_proxy(const char *text, struct error *err)
{
	static const char *const schemes[] = {"http",    "https",  "socks4",
	                                      "socks4a", "socks5", "socks5h"};
	struct conf_url url;

	if (conf_parse_url(&url, span_of(text), err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (span_is(url.scheme, schemes[i]))
			return 0;
	return error_set(err, ERROR_SYNTAX,
	                 "\"%.*s\" is no kind of proxy: write http, https, "
	                 "socks4, socks4a, socks5 or socks5h",
	                 (int)url.scheme.len, url.scheme.ptr);
}

/* An API key must not cross a network in the clear. */
int conf_check_api_url(const char *text, struct error *err)
{
	struct conf_url url;

	if (strchr(text, '@'))
		return refuse_user("llm.api_key_file", err);
	if (conf_parse_url(&url, span_of(text), err) < 0)
		return -1;
	if (span_is(url.scheme, "https") ||
	    (span_is(url.scheme, "http") &&
	     conf_classify_host(url.host) == CONF_HOST_LOOPBACK))
		return 0;
	return error_set(err, ERROR_SYNTAX,
	                 "write https://, or http:// to localhost");
}
