# tests/lint/layers.awk
# A folder sees itself and lower layers; each library header has one home.
BEGIN {
	split("base=0 model=1 net=1 text=1 feed=2 query=2 digest=2 mail=2 llm=2 " \
	      "store=2 conf=3 service=4 daemon=5 cli=6", list, " ")
	for (i in list) { split(list[i], kv, "="); rank[kv[1]] = kv[2] }
	home["sqlite3.h"] = "store"; home["libconfig.h"] = "conf"
	home["cmark.h"] = "digest"; home["libxml"] = "feed"
	home["gmime"] = "mail"; home["glib.h"] = "model text mail"
	home["json-c"] = "llm cli"; home["curl"] = "net feed mail llm cli"
	home["systemd"] = "daemon"
}
FNR == 1 { split(FILENAME, path, "/"); from = path[2] }
/^#include "[^"]*\// {
	split($2, part, /["\/]/); to = part[2]
	if (!(to in rank) || (to != from && rank[to] >= rank[from]))
		complain(from " must not include " $2)
}
/^#include </ {
	split($2, part, /[<>\/]/); lib = part[2]
	if (lib in home && !index(" " home[lib] " ", " " from " "))
		complain($2 " belongs to " home[lib])
}
function complain(what) { print FILENAME ":" FNR ": " what; bad = 1 }
END { exit bad }
