# Keeps one node running: exec, wait, record, pause, again. A constant; it goes into each release, after lib.sh.
# Arguments: the cluster's folder, the node's folder, the release's folder, the node.
set -u
home=$1 dir=$2 release=$3 node=$4
start=$release/start/$node
cd "$dir" || exit 1
trap '' HUP
# Sets me to boot id, pid and start time of the process that calls it.
myself() {
	read -r stat </proc/self/stat
	pid=${stat%% *}
	rest=${stat##*) }
	# shellcheck disable=SC2086
	set -- $rest
	me="$boot $pid ${20}"
}
# One supervisor: whoever links the file, which appears whole or not at all. One whose process is gone is taken away by
# one of those who see that, and only if it is still the same.
myself
ours="id $me"
own=supervisor.$pid
if ! { printf '%s\n' "$ours" >"$own"; } 2>/dev/null; then
	rm -f "$own"
	printf 'id %s\nrefused the folder %s can not be written (is the disk full?)\n' "$me" "$dir" >./exit
	exit 1
fi
tries=0
until ln "$own" supervisor 2>/dev/null; do
	old=''
	{ read -r old <supervisor; } 2>/dev/null
	tries=$((tries + 1))
	# shellcheck disable=SC2086
	if alive ${old#id } || [ "$tries" -gt 50 ]; then
		rm -f "$own"
		exit 0
	fi
	# shellcheck disable=SC2086
	set -- ${old#id }
	if [ -n "$old" ] && mkdir "dead-${2:-0}-${3:-0}" 2>/dev/null; then
		again=''
		{ read -r again <supervisor; } 2>/dev/null
		[ "$again" = "$old" ] && rm -f supervisor
		rmdir "dead-${2:-0}-${3:-0}"
	else
		nap
	fi
done
rm -f "$own"
zeek='' binary='' restart=on-crash
while IFS= read -r line; do
	value=${line#* }
	case $line in
	"zeek "*) zeek=$value ;;
	"binary "*) binary=$value ;;
	"restart "*) restart=$value ;;
	esac
done <"$start"

limit() {
	# shellcheck disable=SC3045
	if (ulimit "$1" "$2") 2>/dev/null; then
		ulimit "$1" "$2"
	else
		echo "clusterctl: can't set ulimit $1 to $2" >&2
	fi
}
run_node() {
	exec </dev/null >stdout 2>stderr
	myself
	set --
	zeekpath='' cpu='' inputs=''
	while IFS= read -r line; do
		value=${line#* }
		case $line in
		"arg "*) set -- "$@" "$value" ;;
		"env "*)
			# shellcheck disable=SC2163
			export "$value"
			;;
		"zeekpath "*) zeekpath=$value ;;
		"input "*) inputs="$inputs$line
" ;;
		"cpu "*) cpu=$value ;;
		"nofile "*) limit -n "$value" ;;
		"core "*) limit -c "$value" ;;
		"memory "*) limit -v "$value" ;;
		esac
	done <"$start"
	export ZEEKPATH="$release/site:$home/data:$release:$zeekpath"
	printf 'id %s\nrelease %s\nrestarts %s\n%s' "$me" "${release##*/}" "$restarts" "$inputs" >run
	if [ -n "$cpu" ]; then
		exec taskset -c "$cpu" "$zeek" "$@"
	fi
	exec "$zeek" "$@"
}
finish() {
	read -r last <supervisor && [ "$last" = "$ours" ] && rm -f supervisor
	exit 0
}
child='' nap='' ended=''
on_term() {
	ended=1
	[ -n "$child" ] && kill -TERM "$child" 2>/dev/null
	[ -n "$nap" ] && kill "$nap" 2>/dev/null
}
trap on_term TERM INT
pause=1 tries=0 restarts=0
while :; do
	[ -n "$ended" ] || [ -e stop ] && finish
	if [ -z "$zeek" ] || [ "$(stat -L -c '%s %Y' "$zeek" 2>/dev/null)" != "$binary" ]; then
		printf 'id %s\nrefused the binary %s is not the one that this release was made for\n' "$me" "$zeek" >./exit
		finish
	fi
	rm -f .status
	[ -e stderr ] && mv -f stderr stderr.last
	seconds
	began=$now
	run_node &
	child=$!
	# A signal may have come before there was a child to hand it to.
	[ -n "$ended" ] && kill -TERM "$child" 2>/dev/null
	wait "$child"
	code=$?
	# A wait that a signal interrupted is no end of the node.
	while [ "$code" -gt 128 ] && kill -0 "$child" 2>/dev/null; do
		wait "$child"
		code=$?
	done
	gone=$child
	child=''
	seconds
	next=stopped
	if [ -z "$ended" ] && [ ! -e stop ]; then
		[ $((now - began)) -ge 60 ] && pause=1 tries=0
		tries=$((tries + 1))
		if [ "$restart" = never ]; then
			next=never
		elif [ "$tries" -gt 10 ]; then
			next=failed
		else
			next=$pause
		fi
	fi
	printf 'id %s %s -\nstatus %s\nat %s\nran %s\ntries %s\nnext %s\n' \
		"$boot" "$gone" "$code" "$now" "$((now - began))" "$tries" "$next" >./exit
	case $next in
	stopped | never | failed) finish ;;
	esac
	sleep "$pause" &
	nap=$!
	wait "$nap"
	nap=''
	pause=$((pause * 2))
	[ "$pause" -gt 60 ] && pause=60
	restarts=$((restarts + 1))
done
