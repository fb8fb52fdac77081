# Functions of the scripts that look at nodes; say.sh stands before it.
# Prints the lines of a file, each with a word before it, so that no content can pass for an answer of ours; not those
# that begin with one of the words $3.
dump() {
	while IFS= read -r line || [ -n "$line" ]; do
		case " ${3:--} " in
		*" ${line%% *} "*) ;;
		*) printf '%s %s %s\n' "$T" "$1" "$line" ;;
		esac
	done <"$2"
}
{ read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null || boot=unknown
# Sets me to boot id, pid and start time of the process that calls it.
myself() {
	read -r stat </proc/self/stat
	me=${stat%% *}
	rest=${stat##*') '}
	# shellcheck disable=SC2086
	set -- $rest
	me="$boot $me ${20}"
}
# Is it that very process (boot id, pid, start time: field 22 of proc(5) stat), and no zombie?
alive() {
	[ -n "${3:-}" ] && [ "$1" = "$boot" ] || return 1
	case $2 in
	*[!0-9]*) return 1 ;;
	esac
	{ read -r stat <"/proc/$2/stat"; } 2>/dev/null || return 1
	since=$3
	rest=${stat##*') '}
	# shellcheck disable=SC2086
	set -- $rest
	[ "${20:-}" = "$since" ] && [ "$1" != Z ] && [ "$1" != X ]
}
# Sets b, p and s to the identity in the first line of a file that is `id BOOT PID START`.
identity() {
	b='' p='' s=''
	[ -f "$1" ] && { read -r _ b p s _ <"$1"; } 2>/dev/null
}
node_alive() {
	identity "$1/run" && alive "$b" "$p" "$s"
}
supervisor_alive() {
	identity "$1/supervisor" && alive "$b" "$p" "$s"
}
# Is the process in the control group of the unit?
in_unit() {
	while IFS= read -r line; do
		case $line in
		*/"$2" | */"$2"/*) return 0 ;;
		esac
	done <"/proc/$1/cgroup"
	return 1
} 2>/dev/null
# Is the node, which is alive and has p as its pid, kept running by its unit or its supervisor?
supervised() {
	unit=''
	if { IFS= read -r unit <"$1/unit"; } 2>/dev/null; then
		in_unit "$p" "$unit"
	else
		supervisor_alive "$1"
	fi
}
# Writes a small file whole or not at all: its name, its text.
keep() {
	{ printf '%s\n' "$2" >"$1.new.$$" && mv -f "$1.new.$$" "$1"; } 2>/dev/null && return
	rm -f "$1.new.$$"
	return 1
}
seconds() {
	read -r now _ </proc/uptime
	now=${now%%.*}
}
nap() {
	sleep 0.1 2>/dev/null || sleep 1
}
# Sets share to how much $1 is of $2, two numbers, in per cent; not 0 where $2 is none. There are shells that count in 32
# bits, which is little for kilobytes of disks.
# shellcheck disable=SC2034
share() {
	share=0
	case $2 in
	???????*)
		case $1 in
		????*) set -- "${1%???}" "${2%???}" ;;
		*) return 0 ;;
		esac
		;;
	esac
	[ "$2" -gt 0 ] && share=$(($1 * 100 / $2))
}
