# Reads files of nodes that are written line by line, and follows them. Arguments: the folder of the nodes, `once` or
# `follow`, how many lines of each, how many bytes of each at most, `text` where only lines with a text
# are asked for (`-`: all), the text. Input: `NODE/FILE`, one a line, up to an empty line; where they are followed, it
# stays open as long as that is to go on.
# Answers of the N-th of them: `file N SIZE TIME`, `odd N` for what is no file, `big N` for what this shell can't count,
# `from N` where its beginning is left out, `head N LINE`, `line N LINE`, `part N` where the last of these has no end yet.
# Then `have NODE/FILE` for logs beside those that are not there, and `shown`. Of what is followed: `data N LINE`, the last
# of which has a dot at its end and is followed by `cut N`: what stands before the dot goes on in the next line;
# `skip N BYTES`, `new N` where another file has that name, `beat`.
spool=$1 mode=$2 lines=$3 most=$4 which=$5 text=$6
newline='
'
# The most bytes of one file at a time; of all of them; how far behind one may be before some of it is skipped.
chunk=262144 budget=4194304 behind=1048576
narrow=''
[ $((2147483647 + 1)) -gt 0 ] 2>/dev/null || narrow=1
say now "$(date +%s)"
set --
while IFS= read -r name && [ -n "$name" ]; do
	set -- "$@" "$name"
done
if ! cd "$spool" 2>/dev/null; then
	say shown
	exit 0
fi
# Calls $1 with the number, the kind, the identity, the size, the time and the name of each of these files that is there,
# and $2 with number and name of each that is not; one process for all of them.
examine() {
	there=$1 missing=$2 number=0
	shift 2
	[ "$#" -gt 0 ] || return 0
	set -f
	IFS=$newline
	# shellcheck disable=SC2046
	found=$(stat -c '%f %d:%i %s %Y %n' -- "$@" 2>/dev/null)
	for line in $found; do
		unset IFS
		name=${line#* * * * }
		while [ "$#" -gt 0 ]; do
			number=$((number + 1))
			[ "$1" != "$name" ] || break
			"$missing" "$number" "$1"
			shift
		done
		[ "$#" -gt 0 ] || break
		shift
		line=${line%" $name"}
		kind=${line%% *}
		line=${line#* }
		id=${line%% *}
		line=${line#* }
		"$there" "$number" "$kind" "$id" "${line%% *}" "${line#* }" "$name"
	done
	unset IFS
	set +f
	for name; do
		number=$((number + 1))
		"$missing" "$number" "$name"
	done
}
last() {
	tail -n "$lines"
}
match() {
	grep -aF -e "$text"
}
pick() {
	case $which$from in
	-0) last ;;
	-*) sed 1d | last ;;
	text0) match | last ;;
	*) sed 1d | match | last ;;
	esac
}
# Does this shell count as far as $1?
countable() {
	case $narrow$1 in
	1??????????*) return 1 ;;
	esac
}
# The line without a token that ends this is noise: the last line of a file may have no end.
head_of() {
	head -c 16384 "$2" | head -n 12 | sed "s/^/$T head $1 /"
	echo
}
first_look() {
	case $2 in
	8???) ;;
	*)
		say odd "$1"
		return
		;;
	esac
	if ! countable "$4"; then
		say big "$1"
		return
	fi
	say file "$1 $4 $5"
	if [ "$4" != 0 ]; then
		case $6 in
		*.log) head_of "$1" "$6" ;;
		esac
		from=0
		[ "$4" -le "$most" ] || from=$(($4 - most))
		[ "$from" = 0 ] || say from "$1"
		if [ "$lines" != 0 ]; then
			tail -c "+$((from + 1))" "$6" | head -c "$(($4 - from))" | pick | sed "s/^/$T line $1 /"
			echo
		fi
		if [ "$mode" = follow ] && [ -n "$(head -c "$4" "$6" | tail -c 1 | tr '\0' x)" ]; then
			say part "$1"
		fi
	fi
	[ "$mode" != follow ] || take "$1" "$3" "$4" "$6"
}
lacking=' '
first_miss() {
	eval "at_$1='' id_$1='' holder_$1=''"
	case $2 in
	*.log)
		case $lacking in
		*" ${2%/*} "*) ;;
		*) lacking="$lacking${2%/*} " ;;
		esac
		;;
	esac
}
# From now on the file $4 of this identity is read from the byte $3 on. What is renamed and deleted can still be read as
# long as a process has it open; that one ends with our input.
take() {
	eval "id_$1=\$2 at_$1=\$3 holder_$1=''"
	case $4 in
	*.log)
		trap - EXIT
		cat <&9 3<"$4" >/dev/null 2>&1 &
		eval "holder_$1=\$!"
		trap 'echo "$T end $?"' EXIT
		;;
	esac
}
# Says what was added to the file: its number, its path, its size; at is how much of it was said before.
grow() {
	left=$(($3 - at))
	if [ "$left" -gt "$behind" ]; then
		say skip "$1 $((left - chunk))"
		at=$(($3 - chunk)) left=$chunk
	fi
	[ "$left" -le "$chunk" ] || left=$chunk
	if [ "$left" -le 0 ] || [ "$room" -le 0 ]; then
		return
	fi
	room=$((room - left))
	{
		tail -c "+$((at + 1))" "$2" | head -c "$left"
		echo .
	} | sed "s/^/$T data $1 /"
	say cut "$1"
	at=$((at + left))
	eval "at_$1=\$at"
}
# Says the rest of a file that has another name by now: its number and its name.
rest() {
	eval "at=\$at_$1 id=\$id_$1 holder=\$holder_$1"
	[ -n "$id" ] || return
	if [ -n "$holder" ]; then
		old=/proc/$holder/fd/3
	else
		old=$2.last
	fi
	was=$(stat -L -c '%d:%i %s' "$old" 2>/dev/null)
	[ "${was%% *}" = "$id" ] || return
	times=0
	while [ "$at" -lt "${was#* }" ] && [ "$times" -lt 16 ]; do
		times=$((times + 1)) room=$budget
		grow "$1" "$old" "${was#* }"
	done
}
gone() {
	rest "$1" "$2"
}
next_look() {
	eval "at=\$at_$1 known=\$id_$1 holder=\$holder_$1"
	case $2 in
	8???) ;;
	*) return ;;
	esac
	countable "$4" || return
	if [ "$known" != "$3" ]; then
		now_id=$3 now_size=$4
		rest "$1" "$6"
		[ -z "$holder" ] || kill "$holder" 2>/dev/null
		[ -z "$known" ] || say new "$1"
		take "$1" "$now_id" 0 "$6"
		at=0
		set -- "$1" "$2" "$now_id" "$now_size" "$5" "$6"
	elif [ "$4" -lt "$at" ]; then
		say new "$1"
		at=0
		eval "at_$1=0"
	fi
	[ "$4" -le "$at" ] || grow "$1" "$6" "$4"
}
exec 9<&0
examine first_look first_miss "$@"
for node in $lacking; do
	number=0
	for file in "$node"/*.log; do
		[ -f "$file" ] || continue
		[ "$number" -lt 200 ] || break
		number=$((number + 1))
		say have "$file"
	done
done
say shown
[ "$mode" = follow ] || exit 0
trap - EXIT
cat <&9 >/dev/null 2>&1 &
open=$!
trap 'echo "$T end $?"' EXIT
beats=0
while kill -0 "$open" 2>/dev/null; do
	sleep 1
	room=$budget
	examine next_look gone "$@"
	beats=$((beats + 1))
	if [ "$beats" -ge 4 ]; then
		beats=0
		say beat || exit 1
	fi
done
