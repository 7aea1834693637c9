#pragma once

/*
 * XML to the texts of items, by rules: what parser.c and oai.c share.
 * libxml2's push parser without entities, DTDs or network. A DOCTYPE, HTML, a
 * body that ends in mid-air and what exceeds a limit are failures.
 */

#include <stdbool.h>
#include <stddef.h>

#include <libxml/parser.h>

#include "base/buf.h"
#include "base/error.h"
#include "feed_private.h"

/* Where in the document the parser stands. */
enum place {
	OUTSIDE,
	IN_RSS,
	IN_RDF,
	IN_FEED,
	IN_CHANNEL,
	IN_ITEM,
	IN_AUTHOR,
	IN_TEXT,
	IN_OAI,
	IN_LIST,
	IN_HEADER,
	IN_METADATA,
	IN_RAW, /* arXivRaw */
	IN_VERSION,
};

/* As deep as places nest: OAI-PMH's down to a version's date. */
#define PLACES_DEEP 7

/* What an element of this name, at this place, leads to. */
struct rule {
	enum place at;
	const char *ns; /* "": none */
	const char *name;
	enum place to;
	enum field field; /* of IN_TEXT */
};

/* As libxml2's startElementNs() gives them. */
struct attributes {
	const xmlChar **items;
	int n;
};

/* A kind of document. `ctx` is the owner's. */
struct grammar {
	const struct rule *rules;
	size_t n_rules;
	const char *name; /* "feed", in errors */
	/* The root element has no rule. */
	void (*foreign)(void *ctx, const char *name);
	/* An element begins, whether it has a rule or not. NULL: so what. */
	void (*begin)(void *ctx, enum place at, const char *ns);
	/* One that has a rule was entered, or ended. */
	void (*enter)(void *ctx, const struct rule *rule,
	              const struct attributes *attributes);
	void (*leave)(void *ctx, enum place left);
};

/* The owner's callbacks read and clear `raw` and may stop the parser. */
struct sax {
	struct raw_item raw;
	struct error err; /* the first one */

	/* sax.c's own */
	const struct grammar *grammar;
	void *ctx;
	xmlParserCtxt *xml; /* NULL: libxml2 gave none */
	struct buf head;
	bool started; /* libxml2 has been given the head */
	enum place places[PLACES_DEEP];
	size_t depth;
	enum field field; /* the text that is being collected */
	size_t n_inside;  /* open elements that have no rule */
	size_t n_bytes;
	size_t tag_len; /* of the tag that is open at the end */
	bool complete;  /* the root element has ended */
	bool ending;    /* the body has */
	bool failed;
};

/* `grammar` and `ctx` are borrowed. */
void sax_init(struct sax *sax, const struct grammar *grammar, void *ctx);
void sax_fini(struct sax *sax);

MUST_CHECK int sax_push(struct sax *sax, const void *bytes, size_t len,
                        struct error *err);
/* The end; a failure if the document is not complete. */
MUST_CHECK int sax_finish(struct sax *sax, struct error *err);

/* Completes sax->err, which a callback has set, and stops. */
void sax_stop(struct sax *sax);
/* The same for an ERROR_SYNTAX of these words. */
void sax_refuse(struct sax *sax, const char *what);
/* The same for a page instead of a feed. */
void sax_refuse_html(struct sax *sax);

int sax_line(const struct sax *sax);

/* Empties the texts of an item. */
void sax_clear_item(struct sax *sax);

/* Appends the value of an attribute, if it is there. */
void sax_add_attribute(struct buf *text, const struct attributes *attributes,
                       const char *ns, const char *name);
