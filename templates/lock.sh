# Holds the lock of a host as long as this script's stdin is open. Arguments: the cluster's folder, the operation,
# a line about the holder. Input: lines for the journal; `done` ends the operation, and the journal with it.
home=$1 operation=$2 holder=$3
mkdir -p "$home" 2>/dev/null || {
	say fail "can't make the folder $home (as $(id -un 2>/dev/null)); as root: install -d -o $(id -un 2>/dev/null) ${home%/*}"
	exit 1
}
read -r stat </proc/self/stat
me=${stat%% *}
rest=${stat##*) }
# shellcheck disable=SC2086
set -- $rest
mine="id $boot $me ${20} $operation $holder"
own=$home/lock.$me
if ! why=$({ printf '%s\n' "$mine" >"$own"; } 2>&1); then
	rm -f "$own"
	say fail "can't write in $home: ${why##*: }"
	exit 1
fi
tries=0
# A link appears whole or not at all.
until ln "$own" "$home/lock" 2>/dev/null; do
	old=''
	{ read -r old <"$home/lock"; } 2>/dev/null
	identity "$home/lock"
	if alive "$b" "$p" "$s"; then
		rm -f "$own"
		say held "${old#id * * * }"
		exit 0
	fi
	tries=$((tries + 1))
	if [ "$tries" -gt 50 ]; then
		rm -f "$own"
		say fail "can't take over $home/lock, whose holder is gone"
		exit 1
	fi
	# Its holder is gone, or a power failure has left it empty: one of those who see that takes it away, and only if it
	# is still the same.
	if [ -e "$home/lock" ] && mkdir "$home/lock.dead-$p-$s" 2>/dev/null; then
		again=''
		{ read -r again <"$home/lock"; } 2>/dev/null
		[ "$again" = "$old" ] && rm -f "$home/lock"
		rmdir "$home/lock.dead-$p-$s"
	else
		nap
	fi
done
rm -f "$own"
release() {
	kept=''
	{ read -r kept <"$home/lock"; } 2>/dev/null
	[ "$kept" = "$mine" ] && rm -f "$home/lock"
}
trap 'release; echo "$T end $?"' EXIT
trap 'exit 1' HUP INT TERM PIPE
say locked
while IFS= read -r line; do
	case $line in
	done) rm -f "$home/journal" ;;
	*) printf '%s\n' "$line" >>"$home/journal" ;;
	esac
done
