# Prints what src/cli/_arxmail offers for the last of these words, one a line, among other words:
#
#     completions.zsh PROGRAM WORD...
#
# The functions of zsh's completion that it calls only print here.

_describe() {
	local -a offers=("${(@P)2}")
	print -rl -- "${(@)offers%%:*}"
}

_arguments() {
	local spec
	if [[ $1 != -C ]]; then
		for spec; do
			print -rl -- ${spec/\[*\]/}
		done
	elif ((CURRENT > 2)); then
		shift words
		state=argument
	else
		_arxmail_commands
	fi
}

words=("$@")
CURRENT=$#
. src/cli/_arxmail
