/* Which form of a word goes with a number (CLDR's rules for whole numbers). */

#include <string.h>

#include "digest_private.h"

static const char *one_form(uint64_t n)
{
	(void)n;
	return "other";
}

static const char *english(uint64_t n)
{
	return n == 1 ? "one" : "other";
}

static const char *french(uint64_t n)
{
	return n < 2 ? "one" : "other";
}

static const char *czech(uint64_t n)
{
	if (n == 1)
		return "one";
	return n >= 2 && n <= 4 ? "few" : "other";
}

/* 2 to 4, 22 to 24, but 12 to 14 are many. */
static bool is_few(uint64_t n)
{
	return n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14);
}

static const char *polish(uint64_t n)
{
	if (n == 1)
		return "one";
	return is_few(n) ? "few" : "many";
}

static const char *russian(uint64_t n)
{
	if (n % 10 == 1 && n % 100 != 11)
		return "one";
	return is_few(n) ? "few" : "many";
}

static const char *lithuanian(uint64_t n)
{
	if (n % 100 >= 11 && n % 100 <= 19)
		return "other";
	if (n % 10 == 1)
		return "one";
	return n % 10 >= 2 ? "few" : "other";
}

static const char *slovenian(uint64_t n)
{
	switch (n % 100) {
	case 1:
		return "one";
	case 2:
		return "two";
	case 3:
	case 4:
		return "few";
	default:
		return "other";
	}
}

static const char *arabic(uint64_t n)
{
	static const char *const first[] = {"zero", "one", "two"};

	if (n < 3)
		return first[n];
	if (n % 100 >= 3 && n % 100 <= 10)
		return "few";
	return n % 100 >= 11 ? "many" : "other";
}

static const struct plural_rule rules[] = {
	{"chinese", "other", one_form},
	{"english", "one other", english},
	{"french", "one other", french},
	{"czech", "one few other", czech},
	{"polish", "one few many", polish},
	{"russian", "one few many", russian},
	{"lithuanian", "one few other", lithuanian},
	{"slovenian", "one two few other", slovenian},
	{"arabic", "zero one two few many other", arabic},
};

const struct plural_rule *plural_find(const char *name)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (name && !strcmp(rules[i].name, name))
			return &rules[i];
	return NULL;
}

bool plural_has(const struct plural_rule *rule, const char *form)
{
	struct span rest = span_of(rule->forms);
	struct span part;

	while (span_split(&rest, ' ', &part))
		if (span_is(part, form))
			return true;
	return false;
}

void plural_add_names(struct buf *out)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		buf_addf(out, "%s%s", i > 0 ? ", " : "", rules[i].name);
}
