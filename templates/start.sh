# Starts nodes and waits until they are ready; the runners' own functions stand before it. Which of them is what the
# node's release was made for, so that going back to a release goes back to its runner. Arguments: the cluster's
# folder, the spool folder, the deadline in seconds. Input: lines of node and release (`current`: that of now).
home=$1 spool=$2 deadline=$3
last_words() {
	tail -n 12 "$spool/nodes/$1/stderr" 2>/dev/null | while IFS= read -r line; do
		say stderr "$1 $line"
	done
}
# A supervisor that pauses after a crash makes room; one that is starting a node does not.
make_room() {
	tries=0
	# Asked last, so that p is the supervisor's.
	while [ "$tries" -lt 50 ] && ! node_alive "$dir" && supervisor_alive "$dir"; do
		kill -USR1 "$p" 2>/dev/null
		tries=$((tries + 1))
		nap
	done
}
left=''
current=''
seconds
limit=$((now + deadline))
if cd -P "$home/current" 2>/dev/null; then
	current=${PWD##*/}
fi
cd / || exit 1
while read -r node release; do
	dir=$spool/nodes/$node
	# Under the lock, so that it is the release of now.
	[ "$release" = current ] && release=$current
	if [ ! -f "$home/releases/$release/start/$node" ]; then
		say dead "$node it is not in the deployed release: run clusterctl deploy"
		continue
	fi
	mkdir -p "$dir" || {
		say dead "$node can't write in $dir"
		continue
	}
	# One that is still being stopped, by an operation that did not wait for it, ends first.
	seconds
	while [ -e "$dir/stop" ] && { node_alive "$dir" || supervisor_alive "$dir"; } && [ "$now" -lt "$limit" ]; do
		nap
		seconds
	done
	if [ -e "$dir/stop" ] && node_alive "$dir"; then
		say late "$node it was told to stop and has not ended; clusterctl stop kills it"
		continue
	fi
	means=$release
	if node_alive "$dir"; then
		# It stays at the release that it runs.
		while read -r key value; do
			[ "$key" = release ] && means=$value
		done <"$dir/run"
	fi
	if ! keep "$dir/want" "running $means"; then
		say dead "$node can't write in $dir"
		continue
	fi
	rm -f "$dir/stop"
	if node_alive "$dir"; then
		if supervised "$dir"; then
			say running "$node"
		else
			say running "$node unsupervised"
		fi
		continue
	fi
	if [ -f "$home/releases/$release/clusterctl/clusterctl@.service" ]; then
		begin_unit </dev/null && left="$left $node"
	else
		begin_supervisor </dev/null && left="$left $node"
	fi
done
start_units
while [ -n "$left" ]; do
	rest_left=''
	for node in $left; do
		dir=$spool/nodes/$node
		status=''
		{ read -r status _ <"$dir/.status"; } 2>/dev/null
		if node_alive "$dir"; then
			if [ "$status" = RUNNING ]; then
				say ready "$node"
				continue
			fi
		elif [ -f "$dir/exit" ]; then
			code=''
			while read -r key value; do
				case $key in
				status) code="exit $value" ;;
				refused) code="refused $value" ;;
				esac
			done <"$dir/exit"
			say dead "$node $code"
			last_words "$node"
			continue
		fi
		rest_left="$rest_left $node"
	done
	left=$rest_left
	[ -n "$left" ] || break
	seconds
	if [ "$now" -ge "$limit" ]; then
		for node in $left; do
			say late "$node $({ cat "$spool/nodes/$node/.status"; } 2>/dev/null)"
			last_words "$node"
		done
		break
	fi
	nap
done
