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
# Is the node of $dir still being stopped, by an operation that did not wait for it? One whose end is denied to us is not.
stopping() {
	[ -e "$dir/stop" ] && { node_alive "$dir" || supervisor_alive "$dir"; } && kill -0 "$p" 2>/dev/null
}
# Starts the node $node of $dir from $release, or says why not; what was begun is added to left.
begin() {
	means=$release
	if node_alive "$dir"; then
		# It stays at the release that it runs.
		while read -r key value; do
			[ "$key" = release ] && means=$value
		done <"$dir/run"
	fi
	if ! keep "$dir/want" "running $means"; then
		say dead "$node can't write in $dir"
		return
	fi
	rm -f "$dir/stop"
	if node_alive "$dir"; then
		if supervised "$dir"; then
			say running "$node"
		else
			say running "$node unsupervised"
		fi
	elif [ -f "$home/releases/$release/clusterctl/clusterctl@.service" ]; then
		begin_unit && left="$left $node"
	else
		begin_supervisor && left="$left $node"
	fi
} </dev/null
# Says which limits of the node of $dir, which is ready, are lower than they should be.
short() {
	while IFS= read -r line; do
		case $line in
		"clusterctl: can't set "*) say short "$node ${line#clusterctl: }" ;;
		*) break ;;
		esac
	done <"$dir/stderr"
	# A user's systemd says nothing.
	[ -e "$dir/unit" ] || return 0
	runs='' nofile=''
	while read -r key value; do
		[ "$key" = release ] && runs=$value
	done <"$dir/run"
	while IFS= read -r line; do
		case $line in
		"unit LimitNOFILE="*) nofile=${line#*=} ;;
		"zeekpath "*) break ;;
		esac
	done <"$home/releases/$runs/start/$node"
	[ -z "$nofile" ] || while read -r _ what more soft _; do
		[ "$what $more" != "open files" ] || [ "$soft" -ge "$nofile" ] ||
			say short "$node may open $soft files only, not $nofile"
	done <"/proc/$p/limits"
} 2>/dev/null
left='' later=''
current=''
if cd -P "$home/current" 2>/dev/null; then
	current=${PWD##*/}
fi
cd / || exit 1
jobs=''
while read -r node release; do
	jobs="$jobs $node $release"
done
ours || exit 1
# shellcheck disable=SC2086
set -- $jobs
while [ "$#" -gt 1 ]; do
	node=$1 release=$2 dir=$spool/nodes/$1
	shift 2
	# Under the lock, so that it is the release of now.
	[ "$release" = current ] && release=$current
	if [ ! -f "$home/releases/$release/start/$node" ]; then
		say absent "$node"
	elif ! mkdir -p "$dir"; then
		say dead "$node can't write in $dir"
	elif stopping; then
		later="$later $node $release"
	else
		begin
	fi
done
start_units
seconds
limit=$((now + deadline))
# Begins those that have ended meanwhile, unless another operation, which may have stopped them, has begun: ours was
# killed then, and nobody waits for them.
begin_later() {
	[ -n "$later" ] || return 0
	if ! held; then
		later=''
		say fail "${not_held:-}"
		return
	fi
	# shellcheck disable=SC2086
	set -- $later
	later=''
	while [ "$#" -gt 1 ]; do
		node=$1 release=$2 dir=$spool/nodes/$1
		shift 2
		if stopping; then
			later="$later $node $release"
			continue
		fi
		under_way=$left left=''
		begin
		start_units
		left="$under_way$left"
	done
}
while [ -n "$left$later" ]; do
	begin_later
	rest_left=''
	for node in $left; do
		dir=$spool/nodes/$node
		status=''
		{ read -r status _ <"$dir/.status"; } 2>/dev/null
		if node_alive "$dir"; then
			if [ "$status" = RUNNING ]; then
				say ready "$node"
				short
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
			# What was refused has written nothing: these would be words of the process before.
			case $code in
			refused*) ;;
			*) last_words "$node" ;;
			esac
			continue
		fi
		rest_left="$rest_left $node"
	done
	left=$rest_left
	[ -n "$left$later" ] || break
	seconds
	if [ "$now" -ge "$limit" ]; then
		for node in $left; do
			say late "$node $({ cat "$spool/nodes/$node/.status"; } 2>/dev/null)"
			last_words "$node"
		done
		# shellcheck disable=SC2086
		set -- $later
		while [ "$#" -gt 1 ]; do
			say late "$1 still stopping; to kill it: clusterctl stop $1"
			shift 2
		done
		break
	fi
	nap
done
