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
line="id $boot $me ${20} $operation $holder"
until (set -C && printf '%s\n' "$line" >"$home/lock") 2>/dev/null; do
	old=''
	{ read -r old <"$home/lock"; } 2>/dev/null
	identity "$home/lock"
	if alive "$b" "$p" "$s"; then
		say held "${old#id * * * }"
		exit 0
	fi
	[ -f "$home/lock" ] || {
		say fail "can't write in $home"
		exit 1
	}
	# Its holder is gone: exactly one of those who see that moves it away.
	mv "$home/lock" "$home/lock.$me" 2>/dev/null && rm -f "$home/lock.$me"
done
trap 'rm -f "$home/lock"; echo "$T end $?"' EXIT
trap 'exit 1' HUP INT TERM PIPE
say locked
while IFS= read -r line; do
	case $line in
	done) rm -f "$home/journal" ;;
	*) printf '%s\n' "$line" >>"$home/journal" ;;
	esac
done
