#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli_private.h"
#include "preview_private.h"
#include "service/letter.h"

enum format {
	FORMAT_HTML,
	FORMAT_TEXT,
	FORMAT_MARKDOWN,
	FORMAT_EML,
	FORMATS,
};

static const char *const format_names[FORMATS] = {
	[FORMAT_HTML] = "html",
	[FORMAT_TEXT] = "text",
	[FORMAT_MARKDOWN] = "markdown",
	[FORMAT_EML] = "eml",
};

struct wish {
	enum format format;
	const char *output; /* NULL: stdout */
	bool last;
	int fd;
};

/* What is shown, and how. */
struct view {
	const struct service *service;
	const struct subscriber *subscriber;
	const struct digest *digest;
	enum format format;
	bool is_page; /* HTML for a browser: the mail is framed */
};

static int add_page(const struct view *view, const struct digest_parts *parts,
                    struct buf *out, struct error *err)
{
	static const char end[] = "\r\n\r\n";
	owned(buf) struct buf message = BUF_INIT(LIMIT_MESSAGE_BYTES);
	struct span headers;

	if (service_write_letter(view->service, view->subscriber, view->digest,
	                         &message, err) < 0)
		return -1;
	headers = buf_span(&message);
	preview_page(out, parts, span_first(headers, span_find(headers, end)));
	return 0;
}

static int render_parts(const struct view *view, struct buf *out,
                        struct error *err)
{
	struct digest_frame frame =
		service_frame(view->service, view->subscriber);
	owned(digest_parts) struct digest_parts parts = {0};
	owned(strings) struct strings notes = {0};

	frame.notes = &notes;
	if (service_add_notes(view->service, view->subscriber,
	                      view->digest->created_at, &notes, err) < 0 ||
	    digest_render(&parts, &frame, view->digest, err) < 0)
		return -1;
	if (view->is_page)
		return add_page(view, &parts, out, err);
	buf_add_str(out, view->format == FORMAT_HTML ? parts.html : parts.text);
	return 0;
}

static int render_document(const struct view *view, struct buf *out,
                           struct error *err)
{
	struct digest_frame frame =
		service_frame(view->service, view->subscriber);
	owned(mem) char *markdown = NULL;

	if (digest_render_document(&markdown, &frame, view->digest, err) < 0)
		return -1;
	buf_add_str(out, markdown);
	return 0;
}

static int render(const struct view *view, struct buf *out, struct error *err)
{
	switch (view->format) {
	case FORMAT_HTML:
	case FORMAT_TEXT:
		return render_parts(view, out, err);
	case FORMAT_MARKDOWN:
		return render_document(view, out, err);
	case FORMAT_EML:
	case FORMATS:
		break;
	}
	return service_write_letter(view->service, view->subscriber,
	                            view->digest, out, err);
}

/* Opened before root becomes somebody else; emptied only when written. */
static int open_output(struct wish *wish)
{
	if (!wish->output)
		return CLI_DONE;
	wish->fd = open(wish->output, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (wish->fd >= 0)
		return CLI_DONE;
	cli_say("%s: cannot write: %s", wish->output, strerror(errno));
	return CLI_FAILED;
}

static int write_output(const struct wish *wish, struct span content)
{
	int fd = wish->fd >= 0 ? wish->fd : STDOUT_FILENO;

	/* A pipe or a terminal cannot be emptied, and need not be. */
	if (wish->fd >= 0 && ftruncate(fd, 0) && errno != EINVAL) {
		cli_say("%s: cannot write: %s", wish->output, strerror(errno));
		return CLI_FAILED;
	}
	while (content.len > 0) {
		ssize_t n = write(fd, content.ptr, content.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EPIPE && wish->fd < 0)
			return CLI_DONE;
		if (n < 0) {
			cli_say("%s: cannot write: %s",
			        wish->output ? wish->output : "stdout",
			        strerror(errno));
			return CLI_FAILED;
		}
		content = span_skip(content, (size_t)n);
	}
	return CLI_DONE;
}

static int show(struct cli *cli, const struct subscriber *subscriber,
                struct digest *digest, void *ctx)
{
	const struct wish *wish = ctx;
	owned(buf) struct buf out = BUF_INIT(LIMIT_MESSAGE_BYTES);
	const struct view view = {&cli->service, subscriber, digest,
	                          wish->format,
	                          wish->format == FORMAT_HTML && wish->output};
	struct error err = {0};

	if (render(&view, &out, &err) < 0) {
		cli_say("%s", err.message);
		return CLI_FAILED;
	}
	if (out.failed) {
		cli_say("the preview is longer than %u bytes",
		        LIMIT_MESSAGE_BYTES);
		return CLI_FAILED;
	}
	return write_output(wish, buf_span(&out));
}

static bool read_format(const char *name, enum format *ret_format)
{
	for (unsigned i = 0; i < FORMATS; i++) {
		if (!strcmp(name, format_names[i])) {
			*ret_format = (enum format)i;
			return true;
		}
	}
	return false;
}

static int read_options(int argc, char **argv, struct wish *ret_wish)
{
	static const struct option options[] = {
		{"format", required_argument, NULL, 'f'},
		{"output", required_argument, NULL, 'o'},
		{"last", no_argument, NULL, 'l'},
		{NULL, 0, NULL, 0},
	};
	int c;

	optind = 0;
	for (c = cli_next_option(argc, argv, options); c != -1;
	     c = cli_next_option(argc, argv, options)) {
		if (c == 'l')
			ret_wish->last = true;
		else if (c == 'o')
			ret_wish->output = optarg;
		else if (c != 'f')
			return cli_bad_option(&cli_preview, c, argv);
		else if (!read_format(optarg, &ret_wish->format))
			return cli_usage(&cli_preview,
			                 "--format %s: it is html, text, "
			                 "markdown or eml",
			                 optarg);
	}
	if (argc - optind != 1)
		return cli_usage(&cli_preview,
		                 "preview takes one subscriber's address or "
		                 "id");
	return CLI_DONE;
}

static int preview(const char *conf_path, char **name, struct wish *wish)
{
	owned(mem) const struct subscriber **list = NULL;
	owned(cli) struct cli cli = {0};
	struct conf *conf = cli_read_conf(conf_path);
	size_t n;

	if (!conf)
		return CLI_FAILED;
	if (cli_find_subscribers(conf, 1, name, &list, &n) != CLI_DONE ||
	    open_output(wish) != CLI_DONE) {
		conf_free(conf);
		return CLI_FAILED;
	}
	if (cli_open_loaded(&cli, conf, STORE_READ) != CLI_DONE)
		return CLI_FAILED;
	return cli_with_digest(&cli, list[0], wish->last, show, wish);
}

static int run(const char *conf_path, int argc, char **argv)
{
	struct wish wish = {.format = FORMAT_TEXT, .fd = -1};
	int status = read_options(argc, argv, &wish);

	if (status == CLI_DONE)
		status = preview(conf_path, argv + optind, &wish);
	if (wish.fd >= 0 && close(wish.fd) && status == CLI_DONE) {
		cli_say("%s: cannot write: %s", wish.output, strerror(errno));
		return CLI_FAILED;
	}
	return status;
}

const struct cli_command cli_preview = {
	"preview",
	"EMAIL [--format html|text|markdown|eml] [--output FILE] [--last]",
	"Shows a subscriber's next digest as it would be.\n"
	"\n"
	"Changes nothing and fetches nothing: it is made of the papers that\n"
	"are stored.\n"
	"\n"
	"  --format FORMAT  text (the default), html, markdown (the "
	"document),\n"
	"                   or eml (the whole message)\n"
	"  --output FILE    write to FILE instead of stdout; html becomes a "
	"page\n"
	"                   for a browser: the mail at two widths, light and "
	"dark,\n"
	"                   its text part, its headers, and a lint\n"
	"  --last           the last digest instead of the next one\n"
	"\n"
	"Exit status 1 if there is nothing to show.\n",
	run,
};
