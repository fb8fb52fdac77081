# Facts of this host for node_exporter's textfile collector; lib.sh stands before it. $home and $spool are the cluster's
# folders, and maintain.sh has set the rest.
nl='
'
# A label's value, with what would end it escaped.
label() {
	case $1 in
	*[!A-Za-z0-9_.:/@+-]*) printf '%s' "$1" | tr '\n' ' ' | sed 's/[\\"]/\\&/g' ;;
	*) printf '%s' "$1" ;;
	esac
}
# Adds a family to facts: its name, what it is.
family() {
	facts="$facts# HELP clusterctl_maintenance_$1 $2$nl# TYPE clusterctl_maintenance_$1 gauge$nl"
}
# Adds a sample: the family, its value, further labels.
sample() {
	facts="${facts}clusterctl_maintenance_$1{cluster=\"$cluster\"${3:-}} $2$nl"
}
# Sets facts.
gather_facts() {
	cluster=$(label "${home##*/}") facts=''
	family timestamp_seconds "When the host last maintained itself, by its own clock."
	sample timestamp_seconds "$(date +%s)"
	family unfinished_operation "Whether an operation on the host did not finish."
	sample unfinished_operation "$([ -z "$unfinished" ] && echo 0 || echo 1)"
	family log_queue_files "Rotated logs that wait for the archive."
	sample log_queue_files "$queued"
	if release=$(readlink "$home/current"); then
		family release_info "The current release of the host."
		sample release_info 1 ",release=\"$(label "${release##*/}")\""
	fi
	for of in wanted running; do
		family "node_$of" "Whether the node is $of."
		for dir in "$spool"/nodes/*/; do
			dir=${dir%/} is=0
			[ -f "$dir/want" ] || continue
			if [ "$of" = running ]; then
				node_alive "$dir" && is=1
			else
				read_intent "$dir"
				case $want in
				"running "*) is=1 ;;
				esac
			fi
			sample "node_$of" "$is" ",node=\"$(label "${dir##*/}")\""
		done
	done
}
# Can others change what is in the folder of now, or put another one in its place? All on the way to it has to be ours or
# root's. A folder with the sticky bit lets nobody rename what is another's. Sets why.
others_can_write() {
	at=$(pwd -P) below='' uid=$(id -u)
	while :; do
		at=${at:-/}
		# shellcheck disable=SC2046
		set -- $(stat -c '%u %a' "$at" 2>/dev/null)
		if [ $# -ne 2 ]; then
			why="can't look at $at"
			return 0
		fi
		if [ "$1" != 0 ] && [ "$1" != "$uid" ]; then
			why="$at belongs to somebody else"
			return 0
		fi
		case $below:$2 in
		below:[1357]???) ;;
		*[2367]? | *[2367])
			why="others can write to $at"
			return 0
			;;
		esac
		[ "$at" != / ] || return 1
		at=${at%/*} below=below
	done
}
# Writes them into a folder, whole or not at all, and through no link. Says why it could not.
write_facts() (
	why='' name=clusterctl_$(printf '%s' "${home##*/}" | tr -c 'A-Za-z0-9_.-' _).prom
	if [ -L "$1" ] || [ ! -d "$1" ]; then
		why="$1 is no folder"
	elif ! cd -P "$1" 2>/dev/null; then
		why="can't go to $1"
	elif others_can_write; then
		:
	elif [ -d "$name" ]; then
		why="$1/$name is a folder"
	else
		find . -maxdepth 1 -name ".$name.*" -mmin +60 -exec rm -f {} + 2>/dev/null
		gather_facts
		rm -f ".$name.$$"
		set -C
		{ printf '%s' "$facts" >".$name.$$" && chmod 644 ".$name.$$" && mv -f ".$name.$$" "$name"; } 2>/dev/null || {
			why="can't write in $1"
			rm -f ".$name.$$"
		}
	fi
	[ -z "$why" ] || say textfile "$why"
)
