# Says owner and mode of each component of a path, links and what they lead to, as far as there is something: a word of
# what the path is for, the path. Whoever may change one of them can put something else in the place of the rest.
trail() {
	todo=$2 at='' hops=0
	set -- "$1"
	while [ -n "$todo" ]; do
		part=${todo%%/*}
		case $todo in
		*/*) todo=${todo#*/} ;;
		*) todo='' ;;
		esac
		case $part in
		'' | .) continue ;;
		..)
			at=${at%/*}
			continue
			;;
		esac
		part=$at/$part
		if [ -L "$part" ]; then
			hops=$((hops + 1))
			[ "$hops" -le 40 ] || break
			led=$(readlink "$part")
			case $led in
			/*) at='' ;;
			esac
			todo=$led/$todo
		else
			[ -e "$part" ] || break
			at=$part
		fi
		set -- "$@" "$part"
	done
	what=$1
	shift
	stat -c '%f %u %n' / "$@" 2>/dev/null | while IFS= read -r line; do
		say way "$what $line"
	done
}
