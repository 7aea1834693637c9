# What HOUSE_STYLE section 13 bans and no compiler flag finds. Comments and
# strings are not code. Tests may call what shipped code may not allocate with.
BEGIN {
	banned = "strcpy strcat sprintf vsprintf strtok strtok_r atoi atol atof " \
	         "scanf sscanf fscanf strtol strtoul strtoll strtoull system " \
	         "popen localtime gmtime ctime asctime signal sleep usleep " \
	         "nanosleep alloca gets setenv"
	n_banned = split(banned, names, " ")
	raw = "malloc calloc realloc reallocarray strdup strndup asprintf vasprintf"
	n_raw = split(raw, raws, " ")
}

FNR == 1 {
	comment = 0
	is_base = FILENAME ~ /^(src|include)\/base\//
	is_test = FILENAME ~ /^tests\//
	is_main = FILENAME ~ /\/main\.c$/
}

{
	todo($0)
	code = strip($0)
	for (i = 1; i <= n_banned; i++)
		if (calls(code, names[i]) && !(is_base && names[i] ~ /^strto/))
			complain(names[i] " is banned")
	for (i = 1; i <= n_raw; i++)
		if (calls(code, raws[i]) && !is_base && !is_test)
			complain(raws[i] " belongs to base")
	if ((calls(code, "exit") || calls(code, "_exit")) && !is_main && !is_test)
		complain("exit belongs to main")
	if (code ~ /(^|[^A-Za-z0-9_])goto[ \t]/)
		complain("goto")
	if (code ~ /(^|[^A-Za-z0-9_])(if|while)[ \t]*\(/ && assigns(code))
		complain("assignment in a condition")
	if (FNR == 601)
		complain("longer than 600 lines")
}

# Is `name` called (not declared as a member, not part of a longer name)?
function calls(text, name)
{
	return text ~ ("(^|[^A-Za-z0-9_.>])" name "[ \t]*\\(")
}

# An = that is no comparison, after `if (` or `while (` on the same line.
function assigns(text)
{
	sub(/^.*(if|while)[ \t]*\(/, "", text)
	gsub(/[=!<>]=/, "", text)
	sub(/\)[ \t]*[^()]*=[^()]*;[ \t]*$/, "", text)
	return text ~ /=/
}

function todo(text)
{
	if (text ~ /(^|[^A-Za-z])(TODO|FIXME|XXX)([^A-Za-z]|$)/ &&
	    text !~ /(TODO|FIXME|XXX)\(#[0-9]+\)/)
		complain("TODO without an issue's number, as TODO(#12)")
}

# The line without comments and with empty literals.
function strip(text,    out, end)
{
	gsub(/\\["'\\]/, "", text)
	gsub(/"[^"]*"/, "\"\"", text)
	gsub(/'[^']*'/, "''", text)
	out = ""
	while (text != "") {
		if (comment) {
			end = index(text, "*/")
			if (!end)
				return out
			text = substr(text, end + 2)
			comment = 0
		} else if (match(text, /\/\*|\/\//)) {
			out = out substr(text, 1, RSTART - 1)
			if (substr(text, RSTART, 2) == "//")
				return out
			text = substr(text, RSTART + 2)
			comment = 1
		} else {
			return out text
		}
	}
	return out
}

function complain(what)
{
	print FILENAME ":" FNR ": " what
	bad = 1
}

END { exit bad }
