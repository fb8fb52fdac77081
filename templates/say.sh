# The first of all scripts. $T is the token that begins each line of an answer.
say() {
	printf '%s %s\n' "$T" "$*"
}
