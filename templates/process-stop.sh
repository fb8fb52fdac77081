# Stops nodes: SIGTERM, a deadline, SIGKILL. Arguments: the spool folder, the deadline in seconds. Input: nodes.
spool=$1 deadline=$2
left=''
while IFS= read -r node && [ -n "$node" ]; do
	dir=$spool/nodes/$node
	if [ ! -d "$dir" ]; then
		say stopped "$node"
		continue
	fi
	printf 'stopped\n' >"$dir/want"
	: >"$dir/stop"
	if node_alive "$dir"; then
		kill -TERM "$p" 2>/dev/null || say denied "$node $p"
	elif supervisor_alive "$dir"; then
		kill -TERM "$p" 2>/dev/null
	fi
	left="$left $node"
done
seconds
limit=$((now + deadline))
killed=''
while [ -n "$left" ]; do
	rest_left=''
	seconds
	for node in $left; do
		dir=$spool/nodes/$node
		if node_alive "$dir"; then
			if [ "$now" -ge "$limit" ]; then
				kill -KILL "$p" 2>/dev/null
				killed="$killed $node "
			fi
			rest_left="$rest_left $node"
		elif supervisor_alive "$dir"; then
			# It may be on its way out; one that pauses needs the signal.
			kill -TERM "$p" 2>/dev/null
			rest_left="$rest_left $node"
		else
			case $killed in
			*" $node "*) say killed "$node" ;;
			*) say stopped "$node" ;;
			esac
		fi
	done
	left=$rest_left
	[ -n "$left" ] || break
	if [ "$now" -ge $((limit + 10)) ]; then
		for node in $left; do
			say stuck "$node"
		done
		break
	fi
	nap
done
