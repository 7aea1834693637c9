/*
 * send_libcurl PORT CONNECTIONS MESSAGES: the same messages over libcurl's own
 * upload path, with the multi interface: what our sessions are measured
 * against.
 */

#include <stdio.h>

#include <curl/curl.h>

#include "base/mem.h"
#include "base/num.h"
#include "message.h"

#define MAX_CONNECTIONS 64
#define LONGEST_WAIT_MS 1000

struct transfer {
	CURL *easy;
	struct span left; /* of the message */
};

struct run {
	CURLM *multi;
	struct transfer transfers[MAX_CONNECTIONS];
	struct curl_slist *recipients;
	struct span message;
	uint64_t n_connections;
	uint64_t n_left;
	uint64_t n_going;
	bool has_failed;
};

static size_t read_message(char *bytes, size_t size, size_t n, void *ctx)
{
	struct transfer *transfer = ctx;
	struct span part = span_first(transfer->left, size * n);

	memcpy(bytes, part.ptr, part.len);
	transfer->left = span_skip(transfer->left, part.len);
	return part.len;
}

static void start(struct run *run, struct transfer *transfer)
{
	if (run->n_left == 0)
		return;
	run->n_left--;
	run->n_going++;
	transfer->left = run->message;
	curl_multi_add_handle(run->multi, transfer->easy);
}

static void set_up(struct run *run, struct transfer *transfer, const char *url)
{
	CURL *easy = curl_easy_init();

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, "<" MESSAGE_FROM ">");
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, run->recipients);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_message);
	curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
	                 (curl_off_t)run->message.len);
	transfer->easy = easy;
}

/* The easy handle is taken out and put in again: that is the documented way. */
static void take_results(struct run *run)
{
	int n_left;

	for (const CURLMsg *message = curl_multi_info_read(run->multi, &n_left);
	     message; message = curl_multi_info_read(run->multi, &n_left)) {
		struct transfer *transfer = NULL;

		if (message->data.result) {
			fprintf(stderr, "%s\n",
			        curl_easy_strerror(message->data.result));
			run->has_failed = true;
		}
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
		                  (char **)&transfer);
		curl_multi_remove_handle(run->multi, transfer->easy);
		run->n_going--;
		start(run, transfer);
	}
}

static void send_all(struct run *run, const char *url)
{
	int n_running;

	run->multi = curl_multi_init();
	curl_multi_setopt(run->multi, CURLMOPT_MAXCONNECTS,
	                  (long)run->n_connections);
	for (uint64_t i = 0; i < run->n_connections; i++) {
		set_up(run, &run->transfers[i], url);
		start(run, &run->transfers[i]);
	}
	while (run->n_going > 0 && !run->has_failed) {
		curl_multi_perform(run->multi, &n_running);
		take_results(run);
		if (n_running > 0)
			curl_multi_poll(run->multi, NULL, 0, LONGEST_WAIT_MS,
			                NULL);
	}
	for (uint64_t i = 0; i < run->n_connections; i++) {
		curl_multi_remove_handle(run->multi, run->transfers[i].easy);
		curl_easy_cleanup(run->transfers[i].easy);
	}
	curl_multi_cleanup(run->multi);
}

int main(int argc, char **argv)
{
	static struct run run;
	owned(buf) struct buf message = BUF_INIT(2 * MESSAGE_BYTES);
	owned(mem) char *url = NULL;
	uint64_t port;

	if (argc != 4 || !num_parse(span_of(argv[1]), 1, UINT16_MAX, &port) ||
	    !num_parse(span_of(argv[2]), 1, MAX_CONNECTIONS,
	               &run.n_connections) ||
	    !num_parse(span_of(argv[3]), 1, UINT32_MAX, &run.n_left)) {
		fprintf(stderr,
		        "usage: send_libcurl PORT CONNECTIONS "
		        "MESSAGES\n");
		return 2;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	write_message(&message);
	run.message = buf_span(&message);
	run.recipients = curl_slist_append(NULL, "<" MESSAGE_TO ">");
	url = mem_printf("smtp://127.0.0.1:%u", (unsigned)port);
	send_all(&run, url);
	curl_slist_free_all(run.recipients);
	curl_global_cleanup();
	return run.has_failed;
}
