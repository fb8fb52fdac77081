# Makes a file ours of which only one process at a time can be the owner; lib.sh stands before it.
# Arguments: the file, our line for it (`id BOOT PID START ...`). It is taken over from a process that is gone.
# 1: a living process has it, and `old` is its line; 2: ours can't be written, and `why` says why; 3: it can't be had.
# A full disk has no room for another file, but one that is there can be written over: so what is given up is kept as
# FILE.free, and taken by the next. It may be longer than our line, so that only the first line counts.
# shellcheck disable=SC2034
claim() {
	own=$1.$$ why=''
	owned "$1" && return 1
	if ! { mv -f "$1.free" "$own" && printf '%s\n' "$2" 1<>"$own"; } 2>/dev/null; then
		rm -f "$own"
		if ! why=$({ printf '%s\n' "$2" >"$own"; } 2>&1); then
			rm -f "$own"
			return 2
		fi
	fi
	tries=0
	# A link appears whole or not at all.
	until ln "$own" "$1" 2>/dev/null; do
		if owned "$1"; then
			mv -f "$own" "$1.free"
			return 1
		fi
		tries=$((tries + 1))
		if [ "$tries" -gt 50 ]; then
			mv -f "$own" "$1.free"
			return 3
		fi
		# Its owner is gone, or a power failure has left it empty: one of those who see that takes it away, and only
		# if it is still the same.
		if [ -e "$1" ] && mkdir "$1.dead-$p-$s" 2>/dev/null; then
			again=''
			{ read -r again <"$1"; } 2>/dev/null
			[ "$again" = "$old" ] && mv -f "$1" "$1.free"
			rmdir "$1.dead-$p-$s"
		else
			# One who was about to do that may have been killed as well.
			[ "$tries" != 10 ] || find "$1.dead-$p-$s" -prune -mmin +1 -exec rmdir {} \; 2>/dev/null
			nap
		fi
	done
	rm -f "$own"
}
# Gives it up, if it is still ours: the file, our line.
disclaim() {
	kept=''
	{ read -r kept <"$1"; } 2>/dev/null
	[ "$kept" = "$2" ] && mv -f "$1" "$1.free"
}
# Does a living process have the file? Sets old to its line, whether it lives or not.
owned() {
	old=''
	{ read -r old <"$1"; } 2>/dev/null
	identity "$1"
	alive "$b" "$p" "$s"
}
