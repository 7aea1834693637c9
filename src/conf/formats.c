#include "conf/formats.h"

#include <arpa/inet.h>
#include <ctype.h>

#include "base/num.h"

#define DAYS 7U
#define MAX_HOST_BYTES 255U

bool conf_parse_time(struct span text, uint32_t *ret_min)
{
	uint64_t hour;
	uint64_t minute;

	if (text.len != 5 || text.ptr[2] != ':' ||
	    !num_parse(span_first(text, 2), 0, 23, &hour) ||
	    !num_parse(span_skip(text, 3), 0, 59, &minute))
		return false;
	*ret_min = (uint32_t)(hour * 60 + minute);
	return true;
}

static const char day_names[DAYS][4] = {"mon", "tue", "wed", "thu",
                                        "fri", "sat", "sun"};

static int parse_day(struct span text, uint32_t *ret_day, struct error *err)
{
	text = span_trim(text);
	for (uint32_t i = 0; i < DAYS; i++) {
		if (text.len != 3 ||
		    strncasecmp(text.ptr, day_names[i], 3) != 0)
			continue;
		*ret_day = i;
		return 0;
	}
	return error_set(err, ERROR_SYNTAX,
	                 "\"%.*s\" is no day: write mon, tue, wed, thu, fri, "
	                 "sat or sun, \"mon-fri\" or \"tue,thu\"",
	                 (int)span_first(text, 40).len, text.ptr);
}

/* One day, or one to another; the week goes round. */
static int parse_range(struct span text, uint32_t *days, struct error *err)
{
	size_t dash = span_find(text, "-");
	uint32_t day;
	uint32_t last;

	if (parse_day(span_first(text, dash), &day, err) < 0)
		return -1;
	last = day;
	if (dash < text.len &&
	    parse_day(span_skip(text, dash + 1), &last, err) < 0)
		return -1;

	*days |= 1U << day;
	while (day != last) {
		day = (day + 1) % DAYS;
		*days |= 1U << day;
	}
	return 0;
}

int conf_parse_days(struct span text, uint32_t *ret_days, struct error *err)
{
	uint32_t days = 0;
	struct span part;

	while (span_split(&text, ',', &part))
		if (parse_range(part, &days, err) < 0)
			return -1;
	*ret_days = days;
	return 0;
}

static bool is_url_text(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c <= ' ' || c > '~' || strchr("<>\"\\^`|", c))
			return false;
	}
	return true;
}

static int split_port(struct conf_url *url, struct span after_host,
                      struct error *err)
{
	uint64_t port;

	if (after_host.len == 0)
		return 0;
	if (!span_starts(after_host, ":") ||
	    !num_parse(span_skip(after_host, 1), 1, 65535, &port))
		return error_set(err, ERROR_SYNTAX,
		                 "\"%.*s\" is no port: write a number from 1 "
		                 "to 65535 behind the ':'",
		                 (int)span_first(after_host, 40).len,
		                 after_host.ptr);
	url->port = (uint32_t)port;
	return 0;
}

static int check_host(struct span host, struct error *err)
{
	for (size_t i = 0; i < host.len; i++)
		if (!isalnum((unsigned char)host.ptr[i]) &&
		    !strchr("-._:", host.ptr[i]))
			return error_set(
				err, ERROR_SYNTAX, "\"%.*s\" is no host",
				(int)span_first(host, 80).len, host.ptr);
	if (host.len == 0 || host.len > MAX_HOST_BYTES)
		return error_set(err, ERROR_SYNTAX, "there is no host in it");
	return 0;
}

/* [USER@]HOST[:PORT] */
static int split_authority(struct conf_url *url, struct span text,
                           struct error *err)
{
	size_t at = span_find(text, "@");
	size_t end;

	if (at < text.len) {
		url->user = span_first(text, at);
		text = span_skip(text, at + 1);
	}
	if (span_starts(text, "[")) {
		end = span_find(text, "]");
		if (end == text.len)
			return error_set(err, ERROR_SYNTAX,
			                 "the '[' of its address has no ']'");
		url->host = span_skip(span_first(text, end), 1);
		end++;
	} else {
		end = span_find(text, ":");
		url->host = span_first(text, end);
	}
	if (check_host(url->host, err) < 0)
		return -1;
	return split_port(url, span_skip(text, end), err);
}

int conf_parse_url(struct conf_url *ret_url, struct span text,
                   struct error *err)
{
	size_t colon = span_find(text, "://");
	struct conf_url url = {.scheme = span_first(text, colon)};
	size_t end = 0;

	if (!is_url_text(text))
		return error_set(err, ERROR_SYNTAX,
		                 "a URL has no blanks, quotes or letters "
		                 "beyond ASCII");
	if (colon == text.len || colon == 0)
		return error_set(err, ERROR_SYNTAX,
		                 "there is no scheme (such as https://) before "
		                 "the host");

	text = span_skip(text, colon + 3);
	while (end < text.len && !strchr("/?#", text.ptr[end]))
		end++;
	url.path = span_skip(text, end);
	if (split_authority(&url, span_first(text, end), err) < 0)
		return -1;
	*ret_url = url;
	return 0;
}

/* The top `bits` of the address are those of the network. */
static bool in_network(uint32_t address, uint32_t network, unsigned bits)
{
	return (address ^ network) >> (32 - bits) == 0;
}

static enum conf_host classify_ipv4(uint32_t address)
{
	if (in_network(address, 0x7F000000, 8))
		return CONF_HOST_LOOPBACK;
	if (in_network(address, 0x0A000000, 8) ||
	    in_network(address, 0xAC100000, 12) ||
	    in_network(address, 0xC0A80000, 16) ||
	    in_network(address, 0xA9FE0000, 16))
		return CONF_HOST_PRIVATE;
	return CONF_HOST_PUBLIC;
}

static enum conf_host classify_ipv6(const struct in6_addr *address)
{
	if (IN6_IS_ADDR_LOOPBACK(address))
		return CONF_HOST_LOOPBACK;
	if (IN6_IS_ADDR_LINKLOCAL(address) ||
	    (address->s6_addr[0] & 0xFE) == 0xFC)
		return CONF_HOST_PRIVATE;
	return CONF_HOST_PUBLIC;
}

enum conf_host conf_classify_host(struct span host)
{
	char text[INET6_ADDRSTRLEN] = "";
	struct in_addr ipv4;
	struct in6_addr ipv6;

	if (host.len >= sizeof(text))
		return CONF_HOST_PUBLIC;
	memcpy(text, host.ptr, host.len);
	if (!strcasecmp(text, "localhost"))
		return CONF_HOST_LOOPBACK;
	if (inet_pton(AF_INET, text, &ipv4) == 1)
		return classify_ipv4(ntohl(ipv4.s_addr));
	if (inet_pton(AF_INET6, text, &ipv6) == 1)
		return classify_ipv6(&ipv6);
	return CONF_HOST_PUBLIC;
}

static bool is_label(struct span label)
{
	for (size_t i = 0; i < label.len; i++)
		if (!isalnum((unsigned char)label.ptr[i]) &&
		    label.ptr[i] != '-' && label.ptr[i] != '_')
			return false;
	return label.len > 0 && label.len <= 63;
}

bool conf_is_dotted_name(struct span text)
{
	size_t n = 0;
	struct span label;

	if (text.len == 0 || text.len > MAX_HOST_BYTES)
		return false;
	while (span_split(&text, '.', &label)) {
		if (!is_label(label))
			return false;
		n++;
	}
	return n > 1;
}
