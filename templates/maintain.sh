# Maintains a host: archives what nodes left, expires, heals, looks at the disk. Arguments: the cluster's folder, the
# spool folder, the operation, a line about who does it. It runs from a timer too, as a file of the release.
home=$1 spool=$2 operation=$3 holder=$4
ended=0 held='' why='' queued=0 moved=0 archive='' archiver='' expire='' min_free=0 ready=120
if [ ! -f "$home/current/clusterctl/logs.conf" ]; then
	say undeployed
	exit 0
fi
take_lock "$home" "$operation" "$holder"
case $? in
1)
	say busy "${held#* }"
	exit 0
	;;
2)
	say fail "$why"
	exit 0
	;;
esac
trap 'ended=$?; free_lock; echo "$T end $ended"' EXIT
trap 'exit 1' HUP INT TERM PIPE
sweep_all "$home" "$spool"
log_settings "$home/current/clusterctl/logs.conf"
# Sets want to what is meant with a node, next to what its runner does after its last end, ended_in to the boot and at to
# the second of that.
read_intent() {
	want='' next='' ended_in='' at=''
	{ read -r want <"$1/want"; } 2>/dev/null
	[ ! -f "$1/exit" ] || while read -r key value; do
		case $key in
		next) next=$value ;;
		at) at=$value ;;
		id) ended_in=${value%% *} ;;
		esac
	done <"$1/exit"
}
# Is its unit in the pause after a crash, or about to start it? A supervisor tells by being there.
pauses() {
	[ -e "$1/unit" ] && [ "$ended_in" = "$boot" ] || return 1
	case $next:$at in
	*[!0-9:]* | :* | *:) return 1 ;;
	esac
	seconds
	# A container that was started again has the boot of before, and a clock that begins anew.
	[ "$now" -ge "$at" ] && [ "$now" -lt "$((at + next + 60))" ]
}
# Whether a node is meant to run and does not: what an operator stopped is left alone, and so is what is not to be
# started again; one that gave up gets another chance, and so does one whose restart was cut off.
needs_healing() {
	read_intent "$1"
	case $want in
	"running "*) ;;
	*) return 1 ;;
	esac
	# What says that it is to stop, on a full disk maybe alone; `again` is a restart's.
	again=again
	[ ! -e "$1/stop" ] || { again='' && read -r again <"$1/stop"; } 2>/dev/null
	[ "$again" = again ] || return 1
	node_alive "$1" || supervisor_alive "$1" || pauses "$1" && return 1
	[ "$next" != never ]
}
# What an operation that was cut off had stopped or was about to start, of the release that is current here now. Sets down
# to those nodes, and safe where they may be started without the other hosts: not where nodes of two versions, backends or
# keys would meet, or one node run on two hosts.
# The journal: of each operation a line of its id and holder, `from` and `to` of this host, what is stopped and started
# here, `mixes` where old and new nodes may meet; after `did switch` no host is at the old release any more, until it begins
# to go back. `stopped`: by an operator since.
cut_off() {
	down='' safe=1 here='' from='' to='' stops='' starts='' mixes='' past='' kept=' '
	if cd -P "$home/current" 2>/dev/null; then
		here=${PWD##*/}
	fi
	cd / || exit 1
	while read -r word rest; do
		case $word in
		did)
			case $rest in
			switch) past=1 ;;
			"begin to go back") past='' ;;
			esac
			;;
		doing) ;;
		from) from=$rest ;;
		to) to=$rest ;;
		stops) stops=$rest ;;
		starts) starts=$rest ;;
		mixes) mixes=1 ;;
		stopped) kept="$kept$rest " ;;
		*)
			one_cut_off
			from='' to='' stops='' starts='' mixes='' past='' kept=' '
			;;
		esac
	done <"$home/journal"
	one_cut_off
}
one_cut_off() {
	[ -n "$to" ] || return 0
	[ -n "$mixes$past" ] || safe=''
	case $here in
	"$to") again="$down $starts" ;;
	"$from") again="$down $stops" ;;
	*) again=$down ;;
	esac
	down=''
	for node in $again; do
		case $kept in
		*" $node "*) ;;
		*) down="$down $node" ;;
		esac
	done
}
unfinished='' down='' safe=1
if [ -f "$home/journal" ]; then
	read -r unfinished <"$home/journal"
	say unfinished "$unfinished"
	safe=''
	# Its holder is gone, since the lock was free. One that only lost its connection may come back soon: it goes on then,
	# and after this it finds that somebody else has worked here.
	if [ -n "$(find "$home/journal" -mmin +10 2>/dev/null)" ]; then
		cut_off
		[ -z "$safe" ] || { printf '%s\n' "$operation" 1<>"$home/operation"; } 2>/dev/null
	fi
fi
if [ -n "$safe" ]; then
	{
		for node in $down; do
			dir=$spool/nodes/$node
			read_intent "$dir"
			if [ "$next" = never ] || [ ! -f "$home/current/start/$node" ]; then
				continue
			fi
			node_alive "$dir" || supervisor_alive "$dir" || pauses "$dir" || printf '%s current\n' "$node"
		done
		for dir in "$spool"/nodes/*/; do
			dir=${dir%/}
			case " $down " in
			*" ${dir##*/} "*) continue ;;
			esac
			needs_healing "$dir" || continue
			release=${want#running }
			# Its own release, as after a crash; the current one where that is gone.
			[ -f "$home/releases/$release/start/${dir##*/}" ] || release=current
			printf '%s %s\n' "${dir##*/}" "$release"
		done
	} | sort | {
		nodes=$(cat)
		[ -z "$nodes" ] || printf '%s\n' "$nodes" | sh "$home/current/clusterctl/start.sh" "$home" "$spool" "$ready" |
			while read -r _ line; do
				say healed "$line"
			done
	}
	# Of nodes that will not start again by themselves; others do it when they start.
	for dir in "$spool"/nodes/*/; do
		dir=${dir%/}
		node_alive "$dir" || supervisor_alive "$dir" && continue
		read_intent "$dir"
		case $want:$next in
		running*:never | running*:failed) ;;
		running*) continue ;;
		esac
		leftovers "$dir" "$home/current/start/${dir##*/}"
	done
fi
say moved "$moved"
# The rest changes nothing that an operation looks at, and may take long.
free_lock
count_queue
if [ "$queued" -gt 0 ] && [ -n "$archive" ] && ! node_alive "$spool/nodes/log-archiver"; then
	mkdir -p "$spool/nodes/log-archiver" && (
		cd "$spool/nodes/log-archiver" && sh "$home/current/clusterctl/archiver.sh" "$home" "$spool" once </dev/null >/dev/null 2>&1
	)
	count_queue
fi
if [ "$queued" -gt 0 ] && [ ! -x "$archiver" ] && [ -n "$archive" ]; then
	say queue "$queued there is no $archiver"
else
	say queue "$queued"
fi
# Only names of the archive's own pattern in folders of its own, no links, nothing else.
if [ -n "$expire" ] && [ -n "$archive" ] && [ -d "$archive" ]; then
	time='[0-9][0-9]:[0-9][0-9]:[0-9][0-9]'
	expired=$(find "$archive/" -mindepth 2 -maxdepth 2 -type f -mmin "+$(((expire + 59) / 60))" \
		-path '*/[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]/*' \
		\( -name "?*.$time-$time.log" -o -name "?*.$time-$time-?*.log" -o \
		-name "?*.$time-$time.log.gz" -o -name "?*.$time-$time-?*.log.gz" -o \
		-name "?*.$time-$time.log.zst" -o -name "?*.$time-$time-?*.log.zst" \) \
		-exec rm -f {} \; -exec echo x \; 2>/dev/null | wc -l)
	say expired "$((expired))"
	find "$archive/" -mindepth 1 -maxdepth 1 -type d -name '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]' -mtime +0 \
		-exec rmdir {} + 2>/dev/null
fi
for dir in "$spool"/crash/*/; do
	dir=${dir%/}
	[ ! -d "$dir" ] || [ -L "$dir" ] || prune_crashes "$dir"
done
for folder in "$home" "$spool" "$archive"; do
	[ -d "$folder" ] && echo "$folder"
done | while IFS= read -r folder; do
	df -Pk "$folder" 2>/dev/null | while read -r _ size _ free _ mount; do
		case $size$free in
		*[!0-9]* | '') ;;
		*) share "$free" "$size" && [ "$share" -lt "$min_free" ] && say low "$share $mount" ;;
		esac
	done
done | sort -u
keep "$home/maintained" "$(date +%s) ${unfinished:+unfinished}"
[ -z "$textfile" ] || write_facts "$textfile"
say ended
