#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/limits.h"
#include "base/mem.h"
#include "feed/fetch.h"
#include "fetch_private.h"

OWNED_DEFINE(curl_url, CURLU, curl_url_cleanup);
OWNED_DEFINE(curl_text, char, curl_free);

/* ---- addresses ---- */

struct network {
	unsigned char prefix[16];
	unsigned bits;
};

/* What a redirect must not reach: RFC 6890 and multicast. */
static const struct network special_v4[] = {
	{{0}, 8},
	{{10}, 8},
	{{100, 64}, 10},
	{{127}, 8},
	{{169, 254}, 16},
	{{172, 16}, 12},
	{{192, 0, 0}, 24},
	{{192, 0, 2}, 24},
	{{192, 168}, 16},
	{{198, 18}, 15},
	{{198, 51, 100}, 24},
	{{203, 0, 113}, 24},
	{{224}, 4},
	{{240}, 4},
};

static const struct network special_v6[] = {
	{{0}, 96}, /* ::, ::1, old mapped ones */
	{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48}, /* local translation */
	{{0x01}, 64},                               /* 100::, discarded */
	{{0x20, 0x01, 0x00}, 23},                   /* Teredo, ORCHID */
	{{0x20, 0x01, 0x0d, 0xb8}, 32},             /* documentation */
	{{0x20, 0x02}, 16},                         /* 6to4 */
	{{0x3f, 0xff, 0x00}, 20},                   /* documentation */
	{{0x5f, 0x00}, 16},                         /* segment routing */
	{{0xfc}, 7},
	{{0xfe, 0x80}, 9}, /* link-local; site-local, once */
	{{0xff}, 8},
};

/* Their last four bytes are an IPv4 address that counts instead. */
static const struct network mapping_v6[] = {
	{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96},
	{{0x00, 0x64, 0xff, 0x9b}, 96},
};

static bool is_in(const unsigned char *address, const struct network *network)
{
	unsigned n_bytes = network->bits / 8, rest = network->bits % 8;
	unsigned mask = 0xFF00U >> rest & 0xFFU;

	return !memcmp(address, network->prefix, n_bytes) &&
	       (address[n_bytes] & mask) == (network->prefix[n_bytes] & mask);
}

static bool is_in_any(const unsigned char *address,
                      const struct network *networks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_in(address, &networks[i]))
			return true;
	return false;
}

#define IS_IN_ANY(address, networks) \
	is_in_any((address), (networks), sizeof(networks) / sizeof(*(networks)))

bool address_is_public(const char *address)
{
	unsigned char bytes[17] = {0}; /* is_in() may look one byte further */

	if (inet_pton(AF_INET, address, bytes) == 1)
		return !IS_IN_ANY(bytes, special_v4);
	if (inet_pton(AF_INET6, address, bytes) != 1)
		return false;
	if (IS_IN_ANY(bytes, mapping_v6))
		return !IS_IN_ANY(bytes + 12, special_v4);
	return !IS_IN_ANY(bytes, special_v6);
}

bool address_is_loopback(const char *address)
{
	static const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
	unsigned char bytes[16];

	if (inet_pton(AF_INET, address, bytes) == 1)
		return bytes[0] == 127;
	return inet_pton(AF_INET6, address, bytes) == 1 &&
	       !memcmp(bytes, &loopback, sizeof(loopback));
}

/* A URL's host: a name, an IPv4 address or an IPv6 address in brackets. */
static bool host_is_loopback(const char *host)
{
	size_t len = strlen(host);
	owned(mem) char *bare = NULL;

	if (!strcasecmp(host, "localhost"))
		return true;
	if (host[0] != '[' || host[len - 1] != ']')
		return address_is_loopback(host);
	bare = mem_dup_span((struct span){host + 1, len - 2});
	return address_is_loopback(bare);
}

/* ---- URLs ---- */

static bool has_part(CURLU *parsed, CURLUPart part)
{
	owned(curl_text) char *text = NULL;

	return !curl_url_get(parsed, part, &text, 0);
}

static int parse_url(CURLU *parsed, const char *url, struct error *err)
{
	CURLUcode code = curl_url_set(parsed, CURLUPART_URL, url,
	                              CURLU_NON_SUPPORT_SCHEME);

	if (code)
		return error_set(err, ERROR_SYNTAX,
		                 "not a URL that begins with https:// or "
		                 "file:///: %s",
		                 curl_url_strerror(code));
	if (has_part(parsed, CURLUPART_USER) ||
	    has_part(parsed, CURLUPART_PASSWORD))
		return error_set(err, ERROR_SYNTAX,
		                 "a feed URL must not hold a user name or "
		                 "password");
	return 0;
}

static int examine_web(CURLU *parsed, const char *scheme,
                       struct url_facts *ret_facts, struct error *err)
{
	owned(curl_text) char *host = NULL;

	if (curl_url_get(parsed, CURLUPART_HOST, &host, 0))
		return error_set(err, ERROR_SYNTAX, "a URL without a host");
	ret_facts->is_loopback = host_is_loopback(host);
	if (!strcmp(scheme, "http") && !ret_facts->is_loopback)
		return error_set(err, ERROR_SYNTAX,
		                 "http is for this machine's own addresses "
		                 "only: use https");
	return 0;
}

int url_examine(const char *url, struct url_facts *ret_facts, struct error *err)
{
	owned(curl_url) CURLU *parsed = curl_url();
	owned(curl_text) char *scheme = NULL;
	struct url_facts facts = {0};

	if (!parsed)
		return error_set(err, ERROR_SYSTEM, "libcurl has no memory");
	if (parse_url(parsed, url, err) < 0)
		return -1;
	if (curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0))
		return error_set(err, ERROR_SYNTAX, "a URL without a scheme");

	facts.is_file = !strcmp(scheme, "file");
	if (!facts.is_file && strcmp(scheme, "https") != 0 &&
	    strcmp(scheme, "http") != 0)
		return error_set(err, ERROR_SYNTAX,
		                 "a feed comes by https (or file), not by %s",
		                 scheme);
	if (!facts.is_file && examine_web(parsed, scheme, &facts, err) < 0)
		return -1;
	*ret_facts = facts;
	return 0;
}

int feed_check_url(const char *url, struct error *err)
{
	struct url_facts facts;

	return url_examine(url, &facts, err);
}

char *feed_url(const char *url, const char *category)
{
	static const char mark[] = "{category}";
	owned(buf) struct buf out = BUF_INIT(LIMIT_FEED_BYTES);
	struct span rest = span_of(url);

	while (rest.len > 0) {
		size_t at = span_find(rest, mark);

		buf_add_span(&out, span_first(rest, at));
		rest = span_skip(rest, at);
		if (rest.len == 0)
			break;
		buf_add_url(&out, span_of(category));
		rest = span_skip(rest, strlen(mark));
	}
	return mem_dup(buf_str(&out));
}
