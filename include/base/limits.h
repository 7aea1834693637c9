#pragma once

/*
 * Every limit on what comes from outside, with its reason. Sizes in bytes.
 */

#define LIMIT_KIB 1024U
#define LIMIT_MIB (1024U * LIMIT_KIB)

/* ---- feeds ---- */

/* The largest real day of five categories was 2.75 MB. */
#define LIMIT_FEED_BYTES (16U * LIMIT_MIB)
/* arXiv stops at 2000 items; the API gives 2000 a slice. */
#define LIMIT_FEED_ITEMS 4000U
/* From here on arXiv silently loses new papers. */
#define LIMIT_FEED_ITEMS_ALARM 2000U
/* arXiv's own limits are near 250 and 1920 characters; TeX and escapes. */
#define LIMIT_TITLE_BYTES 2000U
#define LIMIT_ABSTRACT_BYTES (32U * LIMIT_KIB)
/* Collaborations have thousands of authors. */
#define LIMIT_AUTHORS_BYTES (512U * LIMIT_KIB)
#define LIMIT_AUTHORS 10000U
#define LIMIT_CATEGORIES 32U
/* A start tag; arXiv's longest, the root's, has 400. */
#define LIMIT_FEED_TAG_BYTES (16U * LIMIT_KIB)
/* At most one request per 3 s: info.arxiv.org/help/api/tou.html. */
#define LIMIT_FEED_PAUSE_SEC 3
/* All header lines of an answer and of the redirects to it; arXiv's have 1. */
#define LIMIT_HEADER_BYTES (64U * LIMIT_KIB)
#define LIMIT_FEED_REDIRECTS 3L
#define LIMIT_FEED_CONNECT_SEC 30L
#define LIMIT_FEED_TRANSFER_SEC 300L
#define LIMIT_FEED_SLOW_BYTES_SEC 100L
#define LIMIT_FEED_SLOW_SEC 30L

/* arXiv's have about 200. */
#define LIMIT_OAI_TOKEN_BYTES 2048U

/* ---- config ---- */

/* 100,000 subscribers of 400 bytes are 40 MB. */
#define LIMIT_CONF_BYTES (128U * LIMIT_MIB)
#define LIMIT_CONF_FILES 10000U
#define LIMIT_SECRET_BYTES 4096U
/* Ten lines a year. */
#define LIMIT_HOLIDAYS_BYTES (64U * LIMIT_KIB)
#define LIMIT_KEYWORDS 1000U
#define LIMIT_TOPICS 100U
#define LIMIT_KEYWORD_BYTES 1000U

/* ---- queries ---- */

#define LIMIT_QUERY_BYTES (16U * LIMIT_KIB)
#define LIMIT_QUERY_DEPTH 100U
#define LIMIT_QUERY_NODES 4000U

/* ---- digests and messages ---- */

#define LIMIT_TEMPLATE_BYTES (256U * LIMIT_KIB)
#define LIMIT_TEMPLATE_DEPTH 32U
/* Gmail clips near 102 KB; FACTS measured 90 KiB as safe. */
#define LIMIT_HTML_ENCODED_BYTES (90U * LIMIT_KIB)
#define LIMIT_SUBJECT_BYTES 998U
/* One paper, or the frame, rendered. */
#define LIMIT_FRAGMENT_BYTES (4U * LIMIT_MIB)
#define LIMIT_MESSAGE_BYTES (16U * LIMIT_MIB)

/* ---- SMTP (RFC 5321, section 4.5.3) ---- */

#define LIMIT_SMTP_LINE_BYTES 2048U
#define LIMIT_SMTP_REPLY_LINES 128U
/* A mail of ours that came back whole, in base64, with what is said of it. */
#define LIMIT_BOUNCE_BYTES (1U * LIMIT_MIB)
/*
 * Of a subscriber's newest digests bounces are looked up; a relay gives up
 * within days (RFC 5321, section 4.5.4.1).
 */
#define LIMIT_BOUNCE_DIGESTS 16
/* Digests in a row that an address refuses before it is sent no more. */
#define LIMIT_REFUSALS 3
/* Of a backup that was restored, older mails are held. */
#define LIMIT_RESTORED_SEC 86400
/* Waiting for the reply to the final dot: RFC 5321, section 4.5.3.2.6. */
#define LIMIT_SMTP_DOT_SEC 600

/* ---- language models ---- */

#define LIMIT_PROMPT_BYTES (16U * LIMIT_KIB)
/* A prompt, an abstract and a fault, the abstract's escapes included. */
#define LIMIT_LLM_REQUEST_BYTES (1U * LIMIT_MIB)
/* An abstract, translated; some models think aloud for long before. */
#define LIMIT_LLM_ANSWER_BYTES (256U * LIMIT_KIB)
#define LIMIT_LLM_CONNECT_SEC 15L
/* One sentence. */
#define LIMIT_SUMMARY_BYTES 1000U
/* A question that an endpoint fails at so often is given up for the day. */
#define LIMIT_LLM_TRIES 3

/* ---- service ---- */

/* Announcements older than this are in no digest. */
#define LIMIT_CANDIDATE_DAYS 14
/* So older days need not be recovered. */
#define LIMIT_RECOVER_DAYS LIMIT_CANDIDATE_DAYS
/* Of a category: all of cs has 30,000 in two weeks, in pages of 2000. */
#define LIMIT_RECOVER_RECORDS 60000U
/* A server that gives ever more pages must not be asked for ever. */
#define LIMIT_RECOVER_PAGES 100U
/* How often, and how long at a time, a server may make us wait (503). */
#define LIMIT_RECOVER_TRIES 3
#define LIMIT_RECOVER_WAIT_SEC 900
#define LIMIT_LOG_LINE_BYTES 2000U
