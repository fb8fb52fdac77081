# Starts nodes with a supervisor each and waits until they are ready. Arguments: the cluster's folder, the spool
# folder, the deadline in seconds. Input: lines of node and release.
home=$1 spool=$2 deadline=$3
left=''
launch() {
	if command -v setsid >/dev/null 2>&1; then
		setsid sh "$@" </dev/null >/dev/null 2>supervisor.err &
	else
		sh "$@" </dev/null >/dev/null 2>supervisor.err &
	fi
}
current=''
if cd -P "$home/current" 2>/dev/null; then
	current=${PWD##*/}
fi
while read -r node release; do
	dir=$spool/nodes/$node
	# Under the lock, so that it is the release of now.
	[ "$release" = current ] && release=$current
	if [ ! -f "$home/releases/$release/start/$node" ]; then
		say dead "$node it is not in the deployed release: run clusterctl deploy"
		continue
	fi
	if ! { mkdir -p "$dir" && cd "$dir"; }; then
		say dead "$node can't make $dir"
		continue
	fi
	printf 'running %s\n' "$release" >want
	rm -f stop
	if node_alive "$dir"; then
		say running "$node"
		continue
	fi
	# One that pauses after a crash makes room for a new one.
	tries=0
	while supervisor_alive "$dir" && [ "$tries" -lt 50 ]; do
		kill -TERM "$p" 2>/dev/null
		tries=$((tries + 1))
		nap
	done
	rm -f exit .status run
	launch "$home/releases/$release/clusterctl/supervisor.sh" "$home" "$dir" "$home/releases/$release" "$node"
	left="$left $node"
done
seconds
limit=$((now + deadline))
while [ -n "$left" ]; do
	rest_left=''
	for node in $left; do
		dir=$spool/nodes/$node
		if [ -f "$dir/exit" ]; then
			code=''
			while read -r key value; do
				case $key in
				status) code="exit $value" ;;
				refused) code="refused $value" ;;
				esac
			done <"$dir/exit"
			say dead "$node $code"
			tail -n 12 "$dir/stderr" 2>/dev/null | while IFS= read -r line; do
				say stderr "$node $line"
			done
			continue
		fi
		status=''
		{ read -r status _ <"$dir/.status"; } 2>/dev/null
		if [ "$status" = RUNNING ] && node_alive "$dir"; then
			say ready "$node"
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
			tail -n 12 "$spool/nodes/$node/stderr" 2>/dev/null | while IFS= read -r line; do
				say stderr "$node $line"
			done
		done
		break
	fi
	nap
done
