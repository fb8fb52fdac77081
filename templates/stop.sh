# Stops nodes, whatever keeps them running: SIGTERM, a deadline, SIGKILL. Arguments: the spool folder, the deadline in
# seconds, and `again` where they are to run again at once: then they stay meant to run, so that one whose start nobody
# comes to is known, and healed. Input: nodes. Without a node to start, a unit has no use: what systemd knows of it goes.
spool=$1 deadline=$2 again=${3:-}
left='' of_units='' denied='' marked=''
# Tells the process of $node that was just found alive to end. Another user's can't be told, and is not waited for.
term() {
	kill -TERM "$p" 2>/dev/null || ! alive "$b" "$p" "$s" || denied="$denied $node "
}
# Was the node $node of $dir begun by another operation, after ours was killed and its lock freed? A start takes our mark
# away before it begins anything: what runs now is not ours to stop.
begun_anew() {
	case $marked in
	*" $node "*) [ ! -e "$dir/stop" ] ;;
	*) return 1 ;;
	esac
}
nodes=''
while IFS= read -r node && [ -n "$node" ]; do
	nodes="$nodes $node"
done
ours || exit 1
set --
for node in $nodes; do
	dir=$spool/nodes/$node
	if [ ! -d "$dir" ]; then
		say stopped "$node"
		continue
	fi
	# On a full disk there is no room for another file, but what is there can be written over, all of it.
	[ -n "$again" ] || keep "$dir/want" stopped || { printf '%-79s\n' stopped 1<>"$dir/want"; } 2>/dev/null
	# Also where the disk is full and the intent could not be written.
	printf %s "$again" 2>/dev/null >"$dir/stop"
	[ ! -e "$dir/stop" ] || marked="$marked $node "
	unit=''
	if { IFS= read -r unit <"$dir/unit"; } 2>/dev/null && [ -n "$unit" ]; then
		set -- "$@" "$unit"
		of_units="$of_units $node"
	fi
	if node_alive "$dir"; then
		if [ -z "$unit" ] || ! in_unit "$p" "$unit"; then
			term
		fi
	elif supervisor_alive "$dir"; then
		term
	fi
	left="$left $node"
done
if [ "$#" -gt 0 ]; then
	manager
	if ! ctl stop --no-block "$@" >/dev/null 2>&1; then
		for node in $of_units; do
			if node_alive "$spool/nodes/$node"; then
				term
			fi
		done
	fi
fi
seconds
limit=$((now + deadline))
killed=''
while [ -n "$left" ]; do
	rest_left=''
	seconds
	for node in $left; do
		dir=$spool/nodes/$node
		case $denied in
		*" $node "*)
			say not_permitted "$node"
			continue
			;;
		esac
		runs=''
		if node_alive "$dir"; then
			runs=node
		elif supervisor_alive "$dir"; then
			runs=supervisor
		fi
		# Asked when p is known.
		! begun_anew || runs=''
		case $runs in
		node)
			if [ "$now" -ge "$limit" ]; then
				kill -KILL "$p" 2>/dev/null
				killed="$killed $node "
			fi
			rest_left="$rest_left $node"
			;;
		supervisor)
			# It may be on its way out; one that pauses needs the signal.
			kill -TERM "$p" 2>/dev/null
			rest_left="$rest_left $node"
			;;
		*)
			case $killed in
			*" $node "*) say killed "$node" ;;
			*) say stopped "$node" ;;
			esac
			;;
		esac
	done
	left=$rest_left
	[ -n "$left" ] || break
	if [ "$now" -ge $((limit + 10)) ]; then
		for node in $left; do
			say overdue "$node"
		done
		break
	fi
	nap
done
if [ "$#" -gt 0 ] && [ -z "$left" ]; then
	# In the order of the units.
	ended=''
	for node in $of_units; do
		dir=$spool/nodes/$node
		if ! begun_anew; then
			set -- "$@" "$1"
			ended="$ended $node"
		fi
		shift
	done
fi
if [ "$#" -gt 0 ] && [ -z "$left" ]; then
	# Until their ends are recorded.
	ctl stop "$@" >/dev/null 2>&1
	forget "$@"
	for node in $ended; do
		rm -f "$spool/nodes/$node/unit"
	done
fi
