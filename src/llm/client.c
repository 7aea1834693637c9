#include "llm/client.h"

#include <string.h>

#include <curl/curl.h>

#include "base/limits.h"
#include "base/mem.h"

/* One question on its way. */
struct call {
	struct call *next;
	struct llm_client *client;
	CURL *easy;
	struct llm_question question; /* its texts are owned */
	enum llm_format format;
	llm_answer_fn done;
	void *ctx;
	struct buf request;
	struct buf body;
	size_t n_header_bytes;
	char curl_error[CURL_ERROR_SIZE];
};

struct llm_client {
	struct net *net;
	const struct llm_options *options;
	char *url;
	struct curl_slist *headers;
	enum llm_format format; /* the strictest that the server takes */
	struct call *calls;
};

/* ---- calls ---- */

static void copy_question(struct llm_question *copy,
                          const struct llm_question *question)
{
	*copy = (struct llm_question){
		.title = mem_dup(question->title),
		.abstract = mem_dup(question->abstract),
		.language = mem_dup(question->language),
		.language_name = mem_dup(question->language_name),
		.fault = mem_dup(question->fault),
	};
}

static void free_text(const char *text)
{
	free((void *)(uintptr_t)text);
}

static void free_call(struct call *call)
{
	if (call->easy)
		net_stop(call->client->net, call->easy);
	curl_easy_cleanup(call->easy);
	free_text(call->question.title);
	free_text(call->question.abstract);
	free_text(call->question.language);
	free_text(call->question.language_name);
	free_text(call->question.fault);
	buf_fini(&call->request);
	buf_fini(&call->body);
	free(call);
}

static void take_out(struct call *call)
{
	struct call **slot = &call->client->calls;

	while (*slot != call)
		slot = &(*slot)->next;
	*slot = call->next;
}

/* `done` may ask anew or close the client: it comes last. */
static void finish(struct call *call, struct llm_answer *answer)
{
	llm_answer_fn done = call->done;
	void *ctx = call->ctx;

	if (answer->n_tokens == 0 && answer->kind != LLM_FAILED)
		answer->n_tokens = llm_estimate_tokens(call->client->options,
		                                       &call->question);
	take_out(call);
	free_call(call);
	done(ctx, answer);
	paper_words_fini(&answer->words);
}

/* ---- what went wrong, in plain words ---- */

static void set_failed(const struct call *call, struct llm_answer *answer,
                       enum error_kind kind, const char *what)
{
	answer->kind = LLM_FAILED;
	(void)error_set(&answer->error, kind, "%s: %s", call->client->url,
	                what);
}

static const char *explain_code(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return "cannot find the address of its host";
	case CURLE_COULDNT_CONNECT:
		return "cannot connect: does the server run?";
	case CURLE_OPERATION_TIMEDOUT:
		return "no answer within llm.timeout_s";
	case CURLE_PEER_FAILED_VERIFICATION:
		return "the server's certificate is not trusted";
	case CURLE_WRITE_ERROR:
	case CURLE_OUT_OF_MEMORY: /* of a header line of 100 KB, as well */
		return "the answer is longer than any should be";
	default:
		return "the connection broke";
	}
}

static void fail_transfer(const struct call *call, struct llm_answer *answer,
                          CURLcode code)
{
	const char *detail =
		*call->curl_error ? call->curl_error : curl_easy_strerror(code);
	owned(mem) char *what =
		mem_printf("%s (%s)", explain_code(code), detail);

	set_failed(call, answer, ERROR_TEMPORARY, what);
}

struct status {
	long number;
	enum error_kind kind;
	const char *what;
};

static struct status explain_status(long number)
{
	static const struct status known[] = {
		{401, ERROR_PERMANENT,
	         "refuses the key: check llm.api_key_file"},
		{403, ERROR_PERMANENT,
	         "refuses the key: check llm.api_key_file"},
		{404, ERROR_PERMANENT,
	         "not found: check llm.url and llm.model"},
		{408, ERROR_TEMPORARY, "waited too long"},
		{429, ERROR_TEMPORARY,
	         "too many requests, or a quota is used up"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].number == number)
			return known[i];
	if (number >= 500)
		return (struct status){number, ERROR_TEMPORARY,
		                       "the server is in trouble"};
	if (number >= 300 && number < 400)
		return (struct status){number, ERROR_PERMANENT,
		                       "points elsewhere: check llm.url"};
	return (struct status){number, ERROR_TEMPORARY,
	                       "the server refused the request"};
}

/* Its words, unless they hold our key. */
static char *find_complaint(const struct call *call)
{
	const char *key = call->client->options->api_key;
	owned(mem) char *complaint = llm_read_complaint(buf_span(&call->body));

	if (complaint && key && strstr(complaint, key))
		return NULL;
	return take_ptr(complaint);
}

static void fail_status(const struct call *call, struct llm_answer *answer,
                        long number)
{
	struct status status = explain_status(number);
	owned(mem) char *complaint = find_complaint(call);
	owned(mem) char *what =
		mem_printf("%s (status %ld%s%s)", status.what, number,
	                   complaint ? ": " : "", complaint ? complaint : "");
	curl_off_t seconds = 0;

	(void)curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &seconds);
	answer->retry_after_sec = seconds > 0 ? seconds : 0;
	set_failed(call, answer, status.kind, what);
}

/* ---- the answer ---- */

static void read_body(const struct call *call, struct llm_answer *answer)
{
	owned(llm_completion) struct llm_completion completion = {0};
	struct error err = {0};

	if (llm_read_completion(buf_span(&call->body), &completion, &err) < 0) {
		set_failed(call, answer, ERROR_TEMPORARY, err.message);
		return;
	}
	answer->n_tokens = completion.n_tokens;
	if (llm_read_words(&call->question, &completion, &answer->words,
	                   &answer->error) < 0)
		answer->kind = LLM_FAULTY;
	else
		answer->words.model = mem_dup(call->client->options->model);
}

static void start(struct call *call);

/* A format that the server does not know: the next one, from now on. */
static bool try_other_format(struct call *call, long status)
{
	struct llm_client *client = call->client;

	if ((status != 400 && status != 422) ||
	    call->format == LLM_FORMAT_ASKED)
		return false;
	call->format++;
	if (client->format < call->format)
		client->format = call->format;
	start(call);
	return true;
}

static void on_done(void *ctx, int code)
{
	struct call *call = ctx;
	struct llm_answer answer = {0};
	long status = 0;

	(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK)
		fail_transfer(call, &answer, (CURLcode)code);
	else if (status == 200)
		read_body(call, &answer);
	else if (try_other_format(call, status))
		return;
	else
		fail_status(call, &answer, status);
	finish(call, &answer);
}

/* ---- the request ---- */

static size_t on_body(char *bytes, size_t size, size_t n, void *ctx)
{
	struct call *call = ctx;

	buf_add(&call->body, bytes, size * n);
	return call->body.failed ? 0 : size * n;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *ctx)
{
	struct call *call = ctx;

	(void)bytes;
	call->n_header_bytes += size * n;
	return call->n_header_bytes > LIMIT_HEADER_BYTES ? 0 : size * n;
}

static void set_options(struct call *call)
{
	const struct llm_client *client = call->client;
	CURL *easy = call->easy;

	curl_easy_setopt(easy, CURLOPT_URL, client->url);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* A look-up that hangs is left behind, not waited for. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, LIMIT_LLM_CONNECT_SEC);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT,
	                 (long)client->options->timeout_s);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "arxmail/" ARXMAIL_VERSION);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, client->headers);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->curl_error);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
}

/* Not one that was used: see feed/fetch.c. */
static bool renew_handle(struct call *call)
{
	if (call->easy)
		net_stop(call->client->net, call->easy);
	curl_easy_cleanup(call->easy);
	call->easy = curl_easy_init();
	if (call->easy)
		set_options(call);
	return call->easy != NULL;
}

static void start(struct call *call)
{
	struct llm_answer answer = {0};
	struct error err = {0};

	if (!renew_handle(call)) {
		set_failed(call, &answer, ERROR_TEMPORARY,
		           "libcurl has no memory");
		finish(call, &answer);
		return;
	}
	buf_clear(&call->request);
	buf_clear(&call->body);
	call->curl_error[0] = '\0';
	call->n_header_bytes = 0;
	llm_write_request(&call->request, call->client->options,
	                  &call->question, call->format);
	curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS,
	                 buf_str(&call->request));
	curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE,
	                 (long)call->request.len);
	if (net_start(call->client->net, call->easy, on_done, call, &err) < 0) {
		set_failed(call, &answer, ERROR_TEMPORARY, err.message);
		finish(call, &answer);
	}
}

void llm_ask(struct llm_client *client, const struct llm_question *question,
             llm_answer_fn done, void *ctx)
{
	struct call *call = mem_new(sizeof(*call));

	call->client = client;
	call->format = client->format;
	call->done = done;
	call->ctx = ctx;
	call->request = BUF_INIT(LIMIT_LLM_REQUEST_BYTES);
	call->body = BUF_INIT(LIMIT_LLM_ANSWER_BYTES);
	copy_question(&call->question, question);
	call->next = client->calls;
	client->calls = call;
	start(call);
}

/* ---- the client ---- */

static void add_header(struct llm_client *client, const char *line)
{
	struct curl_slist *longer = curl_slist_append(client->headers, line);

	if (longer)
		client->headers = longer;
}

/* Without Expect: a POST of a few kilobytes need not be announced. */
static void add_headers(struct llm_client *client)
{
	const char *key = client->options->api_key;

	add_header(client, "Content-Type: application/json");
	add_header(client, "Expect:");
	if (key) {
		owned(mem) char *line =
			mem_printf("Authorization: Bearer %s", key);

		add_header(client, line);
		explicit_bzero(line, strlen(line));
	}
}

struct llm_client *llm_client_open(struct net *net,
                                   const struct llm_options *options)
{
	struct llm_client *client = mem_new(sizeof(*client));
	struct span url = span_of(options->url);

	while (span_ends(url, "/"))
		url.len--;
	client->net = net;
	client->options = options;
	client->url =
		mem_printf("%.*s/chat/completions", (int)url.len, url.ptr);
	add_headers(client);
	return client;
}

void llm_client_close(struct llm_client *client)
{
	if (!client)
		return;
	while (client->calls) {
		struct call *call = client->calls;

		client->calls = call->next;
		free_call(call);
	}
	curl_slist_free_all(client->headers);
	free(client->url);
	free(client);
}
