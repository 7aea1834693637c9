#!/usr/bin/env bash
# Feeds as long as arXiv's may be, and by one item longer.
. "$(dirname "$0")/lib.sh"

# make_feed N: a feed of N items.
make_feed() {
    {
        echo '<rss version="2.0" xmlns:arxiv="http://arxiv.org/schemas/atom"'
        echo ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        echo '<title>cs.CL updates on arXiv.org</title>'
        for ((i = 1; i <= $1; i++)); do
            printf '<item><title>Paper %d</title>' "$i"
            printf '<link>https://arxiv.org/abs/2601.%05d</link>' "$i"
            printf '<description>arXiv:2601.%05dv1 Announce Type: new \n' "$i"
            printf 'Abstract: Words.</description><category>cs.CL</category>'
            printf '<guid>oai:arXiv.org:2601.%05dv1</guid>' "$i"
            printf '<arxiv:announce_type>new</arxiv:announce_type>'
            printf '<dc:creator>A. Author</dc:creator></item>\n'
        done
        echo '</channel></rss>'
    } >"$T/feed.xml"
    feed cs.CL "$T/feed.xml"
    new_state
}

limit() {
    sed -n "s/^#define $1 \([0-9]*\)U$/\1/p" "$ROOT/include/base/limits.h"
}

config <<<'{ email = "ada@example.org"; categories = ["cs.CL"]; }'

ALARM=$(limit LIMIT_FEED_ITEMS_ALARM)
make_feed $((ALARM - 1))
run 0 fetch
unlike 'a feed that is not cut is no cause for alarm' "$T/err" 'may be missing'
make_feed "$ALARM"
run 0 fetch
said 'one that arXiv may have cut is' "$ALARM papers.* some may be missing"

MOST=$(limit LIMIT_FEED_ITEMS)
make_feed "$MOST"
run 0 fetch
said 'the longest feed is taken' "$MOST papers"
make_feed $((MOST + 1))
run 1 fetch
said 'a longer one is refused' "more than $MOST"

done_testing
