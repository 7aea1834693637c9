/* What goes wrong between a feed and us, in words for an admin. */

#include <curl/curl.h>

#include "fetch_private.h"

static const struct fetch_fault curl_faults[] = {
	{CURLE_COULDNT_RESOLVE_HOST, ERROR_TEMPORARY,
         "cannot find the address of its host: check the name and this "
         "machine's DNS"},
	{CURLE_COULDNT_RESOLVE_PROXY, ERROR_TEMPORARY,
         "cannot find the address of the proxy: check feeds.proxy"},
	{CURLE_COULDNT_CONNECT, ERROR_TEMPORARY,
         "cannot connect: is this machine online, and does a firewall let "
         "it out?"},
	{CURLE_OPERATION_TIMEDOUT, ERROR_TEMPORARY,
         "no answer in time, or too slow a one"},
	{CURLE_PEER_FAILED_VERIFICATION, ERROR_TEMPORARY,
         "the server's certificate is not trusted: check this machine's "
         "clock and its ca-certificates"},
	{CURLE_SSL_CONNECT_ERROR, ERROR_TEMPORARY,
         "cannot set up an encrypted connection"},
	{CURLE_TOO_MANY_REDIRECTS, ERROR_TEMPORARY,
         "redirected too often: check the URL"},
	{CURLE_UNSUPPORTED_PROTOCOL, ERROR_PERMANENT,
         "redirected to something other than https"},
	{CURLE_WEIRD_SERVER_REPLY, ERROR_TEMPORARY,
         "the server's answer is not HTTP"},
	{CURLE_PARTIAL_FILE, ERROR_TEMPORARY,
         "the connection broke before the whole feed had come"},
	{CURLE_GOT_NOTHING, ERROR_TEMPORARY,
         "the server hung up without an answer"},
	{CURLE_RECV_ERROR, ERROR_TEMPORARY,
         "the connection broke before the whole feed had come"},
	{CURLE_SEND_ERROR, ERROR_TEMPORARY,
         "the connection broke before the request was sent"},
	{CURLE_BAD_CONTENT_ENCODING, ERROR_TEMPORARY,
         "the answer's gzip compression is broken"},
	{CURLE_FILESIZE_EXCEEDED, ERROR_PERMANENT,
         "the feed is larger than any of arXiv's: check the URL"},
	{CURLE_WRITE_ERROR, ERROR_PERMANENT,
         "the feed is larger than any of arXiv's: check the URL"},
	/* libcurl's own limit for one line is 100 KB. */
	{CURLE_OUT_OF_MEMORY, ERROR_TEMPORARY,
         "a header line is longer than any should be, or memory has run out"},
	{CURLE_FILE_COULDNT_READ_FILE, ERROR_PERMANENT,
         "cannot read the file: does it exist, and may this user read it?"},
};

const struct fetch_fault *fetch_fault(int code)
{
	static const struct fetch_fault other = {CURLE_OK, ERROR_TEMPORARY,
	                                         "the transfer failed"};

	for (size_t i = 0; i < sizeof(curl_faults) / sizeof(*curl_faults); i++)
		if (curl_faults[i].code == code)
			return &curl_faults[i];
	return &other;
}

static const struct fetch_fault status_faults[] = {
	{400, ERROR_PERMANENT, "refused: check the URL and the category"},
	{401, ERROR_PERMANENT, "wants a password: check the URL"},
	{403, ERROR_TEMPORARY,
         "forbidden: perhaps too many requests were made"},
	{404, ERROR_PERMANENT, "not found: check the URL and the category"},
	{407, ERROR_PERMANENT, "the proxy wants a password: check feeds.proxy"},
	{408, ERROR_TEMPORARY, "the server waited too long for the request"},
	{410, ERROR_PERMANENT, "gone for good: check the URL"},
	{429, ERROR_TEMPORARY, "too many requests"},
	{451, ERROR_PERMANENT, "not available for legal reasons"},
};

struct fetch_fault fetch_status_fault(long status)
{
	size_t n = sizeof(status_faults) / sizeof(*status_faults);

	for (size_t i = 0; i < n; i++)
		if (status_faults[i].code == status)
			return status_faults[i];
	if (status >= 400 && status < 500)
		return (struct fetch_fault){(int)status, ERROR_PERMANENT,
		                            "the server refused"};
	if (status >= 500)
		return (struct fetch_fault){(int)status, ERROR_TEMPORARY,
		                            "the server is in trouble"};
	return (struct fetch_fault){(int)status, ERROR_TEMPORARY,
	                            "an answer that is no feed"};
}
