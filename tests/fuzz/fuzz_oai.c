/*
 * OAI-PMH answers: in one piece and byte by byte it is the same, and what comes
 * out keeps what the header promises.
 */

#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "feed/oai.h"
#include "fuzz.h"

static int parse(const uint8_t *data, size_t size, size_t piece,
                 struct oai_page **ret_page)
{
	owned(oai_parser) struct oai_parser *parser = oai_parser_new();
	struct error err = {0};

	for (size_t at = 0; at < size; at += piece) {
		size_t len = size - at < piece ? size - at : piece;

		if (oai_parser_push(parser, data + at, len, &err) < 0)
			return -1;
	}
	return oai_parser_finish(parser, ret_page, &err);
}

static void check_record(const struct oai_record *record)
{
	const struct paper *paper = record->paper;
	struct span id;
	uint32_t version;

	if (!paper_parse_id(span_of(paper->id), &id, &version) ||
	    version != 0 || paper->version == 0 || record->first_at < 0 ||
	    !*paper->title || !*paper->abstract || paper->authors.n == 0 ||
	    !utf8_valid(span_of(paper->title)) ||
	    !utf8_valid(span_of(paper->abstract)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	owned(oai_page) struct oai_page *page = NULL;
	owned(oai_page) struct oai_page *again = NULL;
	int outcome = parse(data, size, size + 1, &page);

	if (parse(data, size, 1, &again) != outcome || !again != !page ||
	    (page && again && again->n_records != page->n_records))
		abort();
	for (size_t i = 0; page && i < page->n_records; i++)
		check_record(&page->records[i]);
	return 0;
}
