#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "text/text.h"

#define N(array) (sizeof(array) / sizeof(*(array)))

typedef void (*convert_fn)(struct buf *out, struct span text);

struct conversion {
	const char *in;
	const char *out;
};

static void check_all(convert_fn convert, const struct conversion *cases,
                      size_t n)
{
	for (size_t i = 0; i < n; i++) {
		owned(buf) struct buf out = BUF_INIT(SIZE_MAX);

		convert(&out, span_of(cases[i].in));
		if (strcmp(buf_str(&out), cases[i].out) != 0)
			print_message("case %zu: %s\n", i, cases[i].in);
		assert_string_equal(buf_str(&out), cases[i].out);
	}
}

static void converts_accents_and_letters(void **state)
{
	static const struct conversion cases[] = {
		/* as the feeds have them */
		{"M\\\"uller", "Müller"},
		{"M{\\\"u}ller", "Müller"},
		{"M\\\"{u}ller", "Müller"},
		{"M{\\\"{u}}ller", "Müller"},
		{"{M\\\"uller}", "Müller"},
		{"Schr\\\"{o}dinger", "Schrödinger"},
		{"Garc\\'ia-Ferrero", "García-Ferrero"},
		{"Garc\\'{\\i}a", "García"},
		{"Garc{\\'\\i}a", "García"},
		{"Garc{\\'{\\i}}a", "García"},
		{"Garc\\'\\i a", "García"},
		{"Na{\\\"\\i}ve", "Naïve"},
		{"Isgr\\`o", "Isgrò"},
		{"J\\'er\\^ome", "Jérôme"},
		{"Jo\\~ao", "João"},
		{"Pe\\~na", "Peña"},
		{"\\.Ismail G\\\"uven\\c{c}", "İsmail Güvenç"},
		{"K\\\"ur\\c{s}at Tekb{\\i}y{\\i}k", "Kürşat Tekbıyık"},
		{"Y{\\i}ld{\\i}r{\\i}m", "Yıldırım"},
		{"Erdo\\u{g}mu\\c{s}", "Erdoğmuş"},
		{"Orsz\\'agh, Tom\\'a\\v{s}", "Országh, Tomáš"},
		{"\\v{S}iljak", "Šiljak"},
		{"Jakub\\r{u}v", "Jakubův"},
		{"Zaj\\k{a}c", "Zając"},
		{"Szcz\\k{e}sny", "Szczęsny"},
		{"Erd\\H{o}s", "Erdős"},
		{"Erd\\H os", "Erdős"},
		{"Fran\\c cois", "François"},
		{"\\=Osaka", "Ōsaka"},
		{"Ho\\d{a}ng", "Hoạng"},
		{"\\d{\\^e}", "ệ"},
		{"\\'{\\^a}", "ấ"},
		{"\\b{d}", "ḏ"},
		{"{\\L}ukasz Stanis{\\l}aw", "Łukasz Stanisław"},
		{"\\L{}ukasz", "Łukasz"},
		{"Stanis\\l aw", "Stanisław"},
		{"Hau{\\ss}er", "Haußer"},
		{"Nie{\\ss}ner", "Nießner"},
		{"{\\AA}str\\\"om, {\\AA}kesson", "Åström, Åkesson"},
		{"S{\\o}gaard, H{\\O}eg", "Søgaard, HØeg"},
		{"{\\DJ}or{\\dj}e, {\\TH}\\'or, {\\ae}, {\\OE}",
	         "Đorđe, Þór, æ, Œ"},
		{"\\'{\\ae}", "ǽ"},
		{"\\t{oo}", "o\u0361o"},
		{"Guti\\'errez-\\'Alvarez", "Gutiérrez-Álvarez"},
		{"Csan\\'ad Cs\\'aji", "Csanád Csáji"},
		{"Asl{\\i} \\\"Ozy\\\"urek", "Aslı Özyürek"},
		{"\\v{S}{\\\"u}", "Šü"},
		{"\\textit{na\\\"ive} Bayes", "naïve Bayes"},
		{"{\\'E}tale", "Étale"},
		{"\\'{E} \\'{ E }", "É É"},
	};

	(void)state;
	check_all(text_add_tex, cases, N(cases));
}

static void leaves_what_it_does_not_understand(void **state)
{
	static const struct conversion cases[] = {
		{"", ""},
		{"\\", "\\"},
		{"a\\", "a\\"},
		{"\\\"", "\\\""},
		{"\\'{", "\\'{"},
		{"\\'{}", "\\'{}"},
		{"\\'{e", "\\'{e"},
		{"\\'{ab}", "\\'{ab}"},
		{"\\v{}", "\\v{}"},
		{"\\v", "\\v"},
		{"\\q{e}", "\\q{e}"},
		{"\\b black \\d a \\c x", "\\b black \\d a \\c x"},
		{"\\big \\dpa \\big(", "\\big \\dpa \\big("},
		{"\\L_2 \\o{x}", "\\L_2 \\o{x}"},
		{"\\^2 \\~/bin \\=3", "\\^2 \\~/bin \\=3"},
		{"$\\'e \\\"u$ and $$\\v{s}$$", "$\\'e \\\"u$ and $$\\v{s}$$"},
		{"\\(\\'e\\) \\[\\'e\\]", "\\(\\'e\\) \\[\\'e\\]"},
		{"\\\\", "\\\\"},
		{"\\foo{M\\\"uller $x$}{y} z", "\\foo{M\\\"uller $x$}{y} z"},
		{"\\beta{x} C:\\beta x_{\\min}",
	         "\\beta{x} C:\\beta x_{\\min}"},
		{"\\begin{a} \\textbf{open", "\\begin{a} \\textbf{open"},
		{"\\\\'e", "\\\\'e"},
		{"C:\\data\\new", "C:\\data\\new"},
		{"\\method~framework", "\\method framework"},
		{"https://x.org/\\'e--~a", "https://x.org/\\'e--~a"},
	};

	(void)state;
	check_all(text_add_tex, cases, N(cases));
}

static void drops_braces_that_only_protect_letters(void **state)
{
	static const struct conversion cases[] = {
		{"{B}ayes", "Bayes"},
		{"a {B}ayesian {GPT}-4", "a Bayesian GPT-4"},
		{"{BERT}: Pre-training", "BERT: Pre-training"},
		{"pre-{t}rained", "pre-trained"},
		{"{{\\\"U}ber}", "Über"},
		{"{VIGOR++}, a", "VIGOR++, a"},
		{"the {seen} set {a, b} of {X}",
	         "the {seen} set {a, b} of {X}"},
		{"\\method{B}ayes \\method {GPT}",
	         "\\method{B}ayes \\method {GPT}"},
		{"x_{N} 10^{Th} {LRT)}", "x_{N} 10^{Th} {LRT)}"},
		{"{\\dataset} 5{\\deg}", "{\\dataset} 5°"},
		{"({\\lambda}-calculus) {{}", "(λ-calculus) {{}"},
	};

	(void)state;
	check_all(text_add_tex, cases, N(cases));
}

static void converts_typography_where_it_is_tex(void **state)
{
	static const struct conversion cases[] = {
		{"70\\% R\\&D IBM\\_Q \\#1", "70% R&D IBM_Q #1"},
		{"2.81\\,bpm i.i.d.\\ from", "2.81 bpm i.i.d. from"},
		{"``aha'' moment", "“aha” moment"},
		{"f'' and x'", "f'' and x'"},
		{"Aalen--Johansen", "Aalen–Johansen"},
		{"theory---that -- is", "theory—that – is"},
		{"run --all (--help) a ---- b", "run --all (--help) a ---- b"},
		{"<!-- a --> b", "<!-- a --> b"},
		{"models~(LLMs), Fig.~3", "models (LLMs), Fig. 3"},
		{"20~30 ~38 % a ~ b", "20~30 ~38 % a ~ b"},
		{"https://a.b/c\\_d--e~f g--h", "https://a.b/c_d--e~f g–h"},
		{"www.x.org/~me it's--so", "www.x.org/~me it's–so"},
		{"$\\q{a--b}$ $5 a--b", "$\\q{a--b}$ $5 a–b"},
		{"\\$5, \\{a\\}, one\\\\ two", "$5, {a}, one two"},
	};

	(void)state;
	check_all(text_add_tex, cases, N(cases));
}

static void makes_display_text(void **state)
{
	static const struct conversion cases[] = {
		{"", ""},
		{" \n\t ", ""},
		{"  a \r\n  b\tc  ", "a b c"},
		{"u\u0308ber", "über"},
		{"a\u00A0b\u2028c\xC2\x85"
	         "d",
	         "a b c d"},
		{"fine\u00ADtun\u200Bing \uFEFF", "finetuning"},
		{"\u202Egnp.exe", "gnp.exe"},
		{"a\x01\x1b[31mb", "a [31mb"},
		{"caf\xE9 \xFF", "caf\uFFFD \uFFFD"},
		{"\xC0\xAF \xED\xA0\x80", "\uFFFD\uFFFD \uFFFD\uFFFD\uFFFD"},
		{"G\\\"unther {\\L}", "Günther Ł"},
		{"a~b", "a b"},
		{"深度 学习", "深度 学习"},
	};

	(void)state;
	check_all(text_add_display, cases, N(cases));
}

static void takes_nul_bytes_as_blanks(void **state)
{
	owned(buf) struct buf out = BUF_INIT(SIZE_MAX);

	(void)state;
	text_add_display(&out, (struct span){"a\0b\\\0'", 6});
	assert_string_equal(buf_str(&out), "a b '");
	text_add_tex(&out, (struct span){"\\\0\\'\0{\0}", 8});
	assert_int_equal(out.len, 5 + 8);
	buf_clear(&out);
	text_add_folded(&out, (struct span){"A\0B", 3});
	assert_string_equal(buf_str(&out), "a\uFFFDb");
}

static void folds(void **state)
{
	static const struct conversion cases[] = {
		{"", ""},
		{"LeCun GPT-4", "lecun gpt-4"},
		{"Schrödinger", "schrodinger"},
		{"Schro\u0308dinger", "schrodinger"},
		{"Søgaard Łukasz Đorđe", "sogaard lukasz dorde"},
		{"Straße STRAẞE", "strasse strasse"},
		{"Æther œuvre Þór Ægir", "aether oeuvre thor aegir"},
		{"İsmail Yıldırım", "ismail yildirim"},
		{"ﬁne Ｆｕｌｌ x²", "fine full x2"},
		{"Σίσυφος", "σισυφοσ"},
		{"α-divergence, ΛCDM, αₛ, ϵ, µm",
	         "alpha-divergence, lambdacdm, alphas, epsilon, mum"},
		{"ᾱ, H₀, ℝᵈ, 𝛉", "alpha, h0, rd, theta"},
		{"Чебышёв", "чебышев"},
		{"가 が ガ", "가 が ガ"},
		{"中文", "中文"},
	};

	(void)state;
	check_all(text_add_folded, cases, N(cases));
}

static void tells_kinds_of_characters_apart(void **state)
{
	static const struct {
		uint32_t character;
		enum text_kind kind;
	} cases[] = {
		{'a', TEXT_LETTER},        {'7', TEXT_LETTER},
		{0xFC, TEXT_LETTER},       {0xB2, TEXT_LETTER},
		{0x3B1, TEXT_LETTER},      {0x6DF1, TEXT_IDEOGRAPH},
		{0x3042, TEXT_IDEOGRAPH},  {0xAC00, TEXT_IDEOGRAPH},
		{0x30FC, TEXT_IDEOGRAPH},  {0x301, TEXT_MARK},
		{0xAD, TEXT_INVISIBLE},    {0x200D, TEXT_INVISIBLE},
		{0, TEXT_BLANK},           {'\n', TEXT_BLANK},
		{0x85, TEXT_BLANK},        {0x3000, TEXT_BLANK},
		{'-', TEXT_HYPHEN},        {0x2013, TEXT_HYPHEN},
		{0x2014, TEXT_OTHER},      {'\'', TEXT_APOSTROPHE},
		{0x2019, TEXT_APOSTROPHE}, {'.', TEXT_OTHER},
		{0x3002, TEXT_OTHER},      {UTF8_REPLACEMENT, TEXT_OTHER},
		{0x207B, TEXT_HYPHEN},     {0x1D49C, TEXT_LETTER},
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++)
		assert_int_equal(text_kind(cases[i].character), cases[i].kind);
}

static void measures_math(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {
		{"$x$ y", 3},   {"$$x$$ y", 5},    {"\\(x\\) y", 5},
		{"\\[x\\]", 5}, {"$x", 0},         {"$", 0},
		{"", 0},        {"x$y$", 0},       {"$a\\$b$c", 6},
		{"\\(x", 0},    {"$$x$", 0},       {"\\$5$", 0},
		{"$x\\", 0},    {"$5 and $10", 0}, {"$5M-$10M", 0},
		{"$5$ $10", 3}, {"$ t $", 5},
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++)
		assert_int_equal(text_math_len(span_of(cases[i].text)),
		                 cases[i].len);
}

static void finds_the_first_sentence(void **state)
{
	static const struct {
		const char *text;
		const char *rest;
	} cases[] = {
		{"", ""},
		{"No end", ""},
		{"One. Two.", " Two."},
		{"One! Two.", " Two."},
		{"Why? 3D is.", " 3D is."},
		{"One (e.g., two. Three) four. Five.", " Five."},
		{"See e.g. LLMs. Then", " Then"},
		{"See Smith et al. A method. Then", " Then"},
		{"By J. R. Smith. Then", " Then"},
		{"In Fig. 3 it rose by 3.5 percent. Then", " Then"},
		{"We use $a. B$ here. Then", " Then"},
		{"He said \"Stop.\" Then", " Then"},
		{"It is so.) Then", " Then"},
		{"Lower. case follows. Then", " Then"},
		{"An (open bracket. Then", " Then"},
		{"Costs $5. Then", " Then"},
		{"深度学习。第二句。", "第二句。"},
		{"他说「好。」然后。", "然后。"},
		{"One...", ""},
		{"Broken \xFF. Then", " Then"},
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct span text = span_of(cases[i].text);
		struct span first = text_first_sentence(text);

		assert_ptr_equal(first.ptr, text.ptr);
		assert_string_equal(cases[i].text + first.len, cases[i].rest);
	}
}

static void cuts_at_words(void **state)
{
	static const struct {
		const char *text;
		size_t max;
		const char *cut;
	} cases[] = {
		{"", 0, ""},
		{"one two three", 13, "one two three"},
		{"one two three", 12, "one two"},
		{"one two three", 7, "one two"},
		{"one two three", 6, "one"},
		{"one  two", 5, "one"},
		{"abcdefgh", 3, "abc"},
		{"äöü äöü", 4, "äöü"},
		{"a $x + y$ b", 6, "a"},
		{"$x + y$ b", 3, ""},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301e\u0301"},
		{"深度学习方法", 4, "深度学习"},
		{"深度（学习）", 3, "深度"},
		{"深度学习。", 4, "深度学"},
		{"\xFF\xFF\xFF", 2, "\xFF\xFF"},
		{"one two", 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct span cut =
			text_cut(span_of(cases[i].text), cases[i].max);

		assert_true(span_is(cut, cases[i].cut));
	}
}

static void measures_columns(void **state)
{
	(void)state;
	assert_int_equal(text_width(span_of("abc")), 3);
	assert_int_equal(text_width(span_of("äöü")), 3);
	assert_int_equal(text_width(span_of("e\u0301")), 1);
	assert_int_equal(text_width(span_of("深度")), 4);
	assert_int_equal(text_width(span_of("\xFF")), 1);
	assert_int_equal(text_width(SPAN_NONE), 0);
}

static void wraps(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
		const char *indent;
		const char *lines;
	} cases[] = {
		{"", 10, "  ", ""},
		{"one two three", 80, "", "one two three"},
		{"one two three", 7, "", "one two\nthree"},
		{"one two three", 7, "  ", "  one\n  two\n  three"},
		{"one  two\nthree ", 9, "", "one two\nthree"},
		{"a verylongword b", 5, "", "a\nverylongword\nb"},
		{"a $x + y$ b", 5, "", "a\n$x + y$\nb"},
		{"深度学习方法", 6, "", "深度学\n习方法"},
		{"深度学习。好", 8, "", "深度学\n习。好"},
		{"GPT模型好", 5, "", "GPT模\n型好"},
		{"ab cd", 0, "", "ab\ncd"},
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		owned(buf) struct buf out = BUF_INIT(SIZE_MAX);

		text_add_wrapped(&out, span_of(cases[i].text), cases[i].columns,
		                 cases[i].indent);
		assert_string_equal(buf_str(&out), cases[i].lines);
	}
}

/* `piece` over and over, `len` bytes of it. */
static char *repeat(const char *piece, size_t len)
{
	char *text = mem_new(len + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = piece[i % strlen(piece)];
	return text;
}

static void survives_long_hostile_text(void **state)
{
	static const char *const pieces[] = {
		"{",         "}",       "\\",           "$",
		"\\(",       "{\\\"",   "\\'{",         "(",
		"a\u0301",   "\u0301",  "\xF0",         "{{{{x}}}}",
		"-",         "`",       "~a",           "\\v ",
		"$ \\$ ",    "a. B ",   "\u0301\u0316", "{a",
		"深",        ". ",      "\\textbf{",    "{\\it ",
		"$\\frac{",  "\\hat{",  "$\\text{$",    "\\sqrt[",
		"\\href{a}", "$x_{",    "$\\cal x^",    "\\cite[",
		"\\foo{",    "{\\deg}", "$x$",          "αβ",
	};

	(void)state;
	for (size_t i = 0; i < N(pieces); i++) {
		owned(mem) char *text = repeat(pieces[i], 100000);
		owned(buf) struct buf out = BUF_INIT(SIZE_MAX);
		owned(buf) struct buf folded = BUF_INIT(SIZE_MAX);
		struct span span = span_of(text);

		text_add_display(&out, span);
		assert_true(utf8_valid(buf_span(&out)));
		text_add_folded(&folded, buf_span(&out));
		text_first_sentence(span);
		text_cut(span, 1000);
		text_width(span);
		buf_clear(&out);
		text_add_wrapped(&out, span, 72, "  ");
	}
}

static void display_text_stays_as_it_is(void **state)
{
	static const char *const texts[] = {
		"M\\\"uller -- ``aha'' $k$-means in $\\mathbb{R}^d$",
		"Fig.~3 \\% a\\_b",
		"R\\&D {B}ayes {\\L}ukasz",
		"e\u0301 \u202E x",
	};

	(void)state;
	for (size_t i = 0; i < N(texts); i++) {
		owned(buf) struct buf once = BUF_INIT(SIZE_MAX);
		owned(buf) struct buf twice = BUF_INIT(SIZE_MAX);

		text_add_display(&once, span_of(texts[i]));
		text_add_display(&twice, buf_span(&once));
		assert_string_equal(buf_str(&once), buf_str(&twice));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(converts_accents_and_letters),
		cmocka_unit_test(leaves_what_it_does_not_understand),
		cmocka_unit_test(drops_braces_that_only_protect_letters),
		cmocka_unit_test(converts_typography_where_it_is_tex),
		cmocka_unit_test(makes_display_text),
		cmocka_unit_test(takes_nul_bytes_as_blanks),
		cmocka_unit_test(folds),
		cmocka_unit_test(tells_kinds_of_characters_apart),
		cmocka_unit_test(measures_math),
		cmocka_unit_test(finds_the_first_sentence),
		cmocka_unit_test(cuts_at_words),
		cmocka_unit_test(measures_columns),
		cmocka_unit_test(wraps),
		cmocka_unit_test(survives_long_hostile_text),
		cmocka_unit_test(display_text_stays_as_it_is),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
