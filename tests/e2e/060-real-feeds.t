#!/usr/bin/env bash
# The main job on feeds that arXiv really served: who gets which papers, by the
# judgement of another matcher. ARXMAIL_FEEDS names the folder with the feeds.
. "$(dirname "$0")/lib.sh"

[ -d "${ARXMAIL_FEEDS-}" ] || skip_all 'ARXMAIL_FEEDS is not set'
export ARXMAIL_FEEDS

# Copies, because the program's user may not be able to reach the folder.
feed stat "$ARXMAIL_FEEDS/rss2_stat_2024-03-26.xml"
feed cs "$ARXMAIL_FEEDS/rdf_cs_2018-08-30.xml"
feed cs.SD "$ARXMAIL_FEEDS/recon_rss2_audio_2025-06-03.xml"
feed cs.AI "$ARXMAIL_FEEDS/atom_cs.AI_2025-08-20_7.xml"
feed cs.LG "$ARXMAIL_FEEDS/rss2_cs.LG_weekend_empty_2026-09-27.xml"
start_smtp
config <<'END'
{ email = "all@example.org"; categories = ["stat"]; max_papers = 500; },
{ email = "words@example.org"; categories = ["stat", "cs"]; max_papers = 500;
  keywords = ["Bayesian", "causal inference", "neural network"];
  authors = ["Ramdas"]; exclude = ["survey", "review"]; },
{ email = "types@example.org"; categories = ["cs", "cs.SD", "cs.LG"];
  max_papers = 500; announce = ["new", "cross", "replace", "replace-cross"];
  keywords = ["reinforcement learning", "graph*", "voice conversion"]; }
END

run 0 fetch
run 0 send-now
check 'each gets what the other matcher finds' <<'END'
from matcher import select
feeds = os.environ["ARXMAIL_FEEDS"] + "/"
stat = feeds + "rss2_stat_2024-03-26.xml"
cs = feeds + "rdf_cs_2018-08-30.xml"
audio = feeds + "recon_rss2_audio_2025-06-03.xml"
wanted = {
    "all@example.org": select([stat]),
    "words@example.org": select(
        [stat, cs], keywords=["Bayesian", "causal inference", "neural network"],
        authors=["Ramdas"], exclude=["survey", "review"]),
    "types@example.org": select(
        [cs, audio], keywords=["reinforcement learning", "graph*", "voice conversion"],
        announce=["new", "cross", "replace", "replace-cross"]),
}
equal(len(wanted["all@example.org"]), 62)
for to in wanted:
    got = ids(only(to))
    assert got == wanted[to], (f"{to} lacks {sorted(wanted[to] - got)}"
                               f" and should not have {sorted(got - wanted[to])}")
END
check 'no message has a fault' <<'END'
for mail in inbox():
    equal(mail.faults(), [])
    assert len(mail.html.encode()) < 90 * 1024
END
run 0 send-now
check 'the second run sends nothing' <<<'equal(len(inbox()), 3)'

# The next day of one feed: what was in both is not sent again.
config <<'END'
{ email = "audio@example.org"; categories = ["cs.SD"]; max_papers = 500; }
END
new_state
rm -rf "$T/inbox"
mkdir "$T/inbox"
run 0 send-now
pass_days 1
feed cs.SD "$ARXMAIL_FEEDS/recon_rss2_audio_2025-06-04.xml"
run 0 send-now
check 'the second day brings the second day' <<'END'
from matcher import select
feeds = os.environ["ARXMAIL_FEEDS"] + "/recon_rss2_audio_2025-06-0"
first, second = select([feeds + "3.xml"]), select([feeds + "4.xml"])
equal([ids(mail) for mail in inbox()], [first, second - first])
END

# A capture that was cut off in mid-air changes nothing.
config <<<'{ email = "ai@example.org"; categories = ["cs.AI"]; }'
feed cs.AI "$ARXMAIL_FEEDS/atom_cs.AI_2025-08-20_truncated.xml"
new_state
run 1 fetch
said 'the truncated feed is refused' 'cs\.AI'
feed cs.AI "$ARXMAIL_FEEDS/atom_cs.AI_2025-08-20_7.xml"
run 0 fetch

done_testing
