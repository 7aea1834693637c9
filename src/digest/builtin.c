#include <cmark.h>

#include "base/embed.h"
#include "digest/render.h"

EMBED(digest_md, "templates/digest.md");
EMBED(paper_md, "templates/paper.md");
EMBED(line_md, "templates/line.md");
EMBED(digest_txt, "templates/digest.txt");
EMBED(paper_txt, "templates/paper.txt");
EMBED(line_txt, "templates/line.txt");
EMBED(document_md, "templates/document.md");
EMBED(layout_html, "templates/layout.html");
EMBED(style_css, "templates/style.css");
EMBED(strings_en, "templates/strings/en.conf");
EMBED(strings_zh, "templates/strings/zh.conf");

struct span digest_builtin(const char *name)
{
	const struct {
		const char *name;
		struct span text;
	} files[] = {
		{"digest.md", EMBEDDED(digest_md)},
		{"paper.md", EMBEDDED(paper_md)},
		{"line.md", EMBEDDED(line_md)},
		{"digest.txt", EMBEDDED(digest_txt)},
		{"paper.txt", EMBEDDED(paper_txt)},
		{"line.txt", EMBEDDED(line_txt)},
		{"document.md", EMBEDDED(document_md)},
		{"layout.html", EMBEDDED(layout_html)},
		{"style.css", EMBEDDED(style_css)},
		{"strings/en.conf", EMBEDDED(strings_en)},
		{"strings/zh.conf", EMBEDDED(strings_zh)},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (!strcmp(files[i].name, name))
			return files[i].text;
	return SPAN_NONE;
}

void digest_builtin_languages(struct strings *names)
{
	strings_add(names, span_of("en"));
	strings_add(names, span_of("zh"));
}

void digest_add_library(struct buf *out)
{
	buf_addf(out, "cmark %s", cmark_version_string());
}
