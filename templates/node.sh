# What starts a node and records its end, the same for every runner. A constant; it goes into each release, after
# lib.sh, crashes.sh and logs.sh. Arguments: what to do, the cluster's folder, the node's folder, the release's folder, the node.
#   may         waits until a pause is over; not 0 where the node must not be started
#   run         becomes the node; 77 where it must not be started, and `exit` says why
#   parse D     has its scripts parsed within D seconds, in the folder as it is
#   running, parsing D   the same, in an environment that is clean already
#   ended S A   records that it ended with the status S; A is `asked` if somebody wanted that. Its own exit status is
#               the pause in seconds until it is to be started again, or 0. With `systemd` for S, it is in the
#               environment (systemd.exec(5))
#   asked       somebody wants it to end
#   backtrace C writes a backtrace beside the core C
set -u
umask 022
LC_ALL=C
export LC_ALL
verb=$1 home=$2 dir=$3 release=$4 node=$5
start=$release/start/$node
cd "$dir" || exit 77
refuse() {
	keep exit "id $me
refused $*" || echo "clusterctl: $node: $*" >&2
	exit 77
}
# Sets tries to how often in a row it has ended soon.
read_tries() {
	tries=0
	while read -r key value; do
		[ "$key" = tries ] && tries=$value
	done <"$1"
	case $tries in
	'' | *[!0-9]*) tries=0 ;;
	esac
} 2>/dev/null
limit() {
	# shellcheck disable=SC3045
	if (ulimit "$1" "$2") 2>/dev/null; then
		ulimit "$1" "$2"
	else
		echo "clusterctl: can't set ulimit $1 to $2" >&2
	fi
}
read_start() {
	zeek='' binary='' script='' zeekpath='' cpu='' nice='' inputs='' limits='' secrets=''
	while IFS= read -r line; do
		value=${line#* }
		case $line in
		"zeek "*) zeek=$value ;;
		"binary "*) binary=$value ;;
		"script "*) script=$release/clusterctl/$value ;;
		"input "*) inputs="$inputs
$line" ;;
		"zeekpath "*) zeekpath=$value ;;
		"cpu "*) cpu=$value ;;
		"nice "*) nice=$value ;;
		"nofile "* | "core "* | "memory "*) limits="$limits $line" ;;
		"secrets "*) secrets="$secrets $value" ;;
		esac
	done <"$start"
}
# Becomes Zeek: what is given, and the node's own arguments, in its environment. From here on PATH is the node's. To parse,
# it needs no certificates: Broker would open them in a thread of its own, and dies of the end of Zeek while it does
# (9.0.0-rc1).
parsing=''
become() {
	unset PWD OLDPWD SHLVL
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	while IFS= read -r line; do
		value=${line#* }
		case $line in
		"arg "*) set -- "$@" "$value" ;;
		"env CLUSTERCTL_TLS_"*)
			# shellcheck disable=SC2163
			[ -n "$parsing" ] || export "$value"
			;;
		"env "*)
			case ${value%%=*} in
			'' | [!A-Za-z_]* | *[!A-Za-z0-9_]*) ;;
			*)
				# shellcheck disable=SC2163
				export "$value"
				;;
			esac
			;;
		esac
	done <"$start"
	exec "$@"
}
run_node() {
	myself
	[ -r "$start" ] || refuse "$start can not be read"
	node_alive . && refuse "it runs already, with the pid $p"
	read_start
	# What is no Zeek is a script of the release.
	if [ -n "$script" ]; then
		zeek=$(command -v sh)
	elif [ -z "$zeek" ] || [ "$(stat -L -c '%s %Y' "$zeek" 2>/dev/null)" != "$binary" ]; then
		refuse "the binary $zeek is not the one that this release was made for"
	fi
	for name in $secrets; do
		[ -r "$home/secrets/$name" ] || refuse "its keys $home/secrets/$name are missing: run clusterctl deploy"
		# A name has the beginning of its content's digest in it.
		case $(sha256sum <"$home/secrets/$name") in
		"${name##*-}"*) ;;
		*) refuse "its keys $home/secrets/$name have been changed: run clusterctl deploy" ;;
		esac
	done
	# `exit` is there while it pauses after an end of its own; a start by hand has put it away.
	restarts=0 tries=0
	if [ -f exit ]; then
		while read -r key value; do
			[ "$key" = restarts ] && restarts=$((value + 1))
		done <run
		read_tries exit
	fi 2>/dev/null
	rm -f .status asked
	# While `run` tells when the last process began.
	if [ -z "$script" ]; then
		# shellcheck disable=SC2034
		spool=${dir%/nodes/*} moved=0
		log_settings "$release/clusterctl/logs.conf"
		leftovers "$dir" "$start" left
		new_second
	fi
	[ -e stderr ] && mv -f stderr stderr.last
	# On a full disk it waits for room: that can't be recorded either, so nobody would know to start it again.
	seconds
	# What it was started with is told by digests: for nobody else.
	umask 077
	until keep run "id $me
at $now
release ${release##*/}
restarts $restarts
tries $tries$inputs"; do
		sleep 5
	done
	umask 022
	[ ! -f exit ] || mv -f exit exit.last
	exec </dev/null >stdout 2>stderr
	# shellcheck disable=SC2086
	set -- $limits
	while [ "$#" -gt 1 ]; do
		case $1 in
		nofile) limit -n "$2" ;;
		core) limit -c "$2" ;;
		memory) limit -v "$2" ;;
		esac
		shift 2
	done
	export ZEEKPATH="$release/site:$home/data:$release:$zeekpath"
	for name in $secrets; do
		while IFS= read -r line; do
			# Exactly what clusterctl keeps: whatever else stands there decides nothing about the node.
			case $line in
			ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_SERVER_PUBLICKEY=* | ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_SERVER_SECRETKEY=* | \
				ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_CLIENT_PUBLICKEY=* | ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_CLIENT_SECRETKEY=* | \
				CLUSTERCTL_TLS_PASSPHRASE=*)
				# shellcheck disable=SC2163
				export "$line"
				;;
			esac
		done <"$home/secrets/$name"
	done
	set -- "$zeek" ${script:+"$script"}
	[ -z "$cpu" ] || set -- "$(command -v taskset || echo taskset)" -c "$cpu" "$@"
	[ -z "$nice" ] || set -- "$(command -v nice || echo nice)" -n "$nice" "$@"
	become "$@"
}
parse_node() {
	read_start
	export ZEEKCTL_CHECK_CONFIG=1 ZEEKCTL_DISABLE_LISTEN=1
	export ZEEKPATH="$release/site:$release/data:$release:$zeekpath"
	parsing=1
	set -- "$(command -v timeout || echo timeout)" -k 5 "$1" "$zeek" --parse-only
	# Whatever asks for a passphrase finds no terminal.
	command -v setsid >/dev/null 2>&1 && set -- "$(command -v setsid)" "$@"
	become "$@"
}
may() {
	meant=''
	{ read -r meant _ <want; } 2>/dev/null
	if [ "$meant" != running ] || [ -e stop ]; then
		echo "clusterctl: $node is not meant to run; clusterctl start changes that" >&2
		exit 1
	fi
	[ -f exit ] || exit 0
	identity exit
	at=0 next=refused
	while read -r key value; do
		case $key in
		at) at=$value ;;
		next) next=$value ;;
		esac
	done <./exit
	seconds
	# A container that was started again has the boot of before, and a clock that begins anew.
	if [ "$b" != "$boot" ] || [ "$at" -gt "$now" ]; then
		mv -f exit exit.last
		exit 0
	fi
	case $next in
	stopped) exit 0 ;;
	'' | *[!0-9]*)
		echo "clusterctl: $node is not started again ($next); clusterctl start changes that" >&2
		exit 1
		;;
	esac
	[ "$now" -ge $((at + next)) ] || sleep $((at + next - now))
	exit 0
}
# Sets status and why from what systemd says.
from_systemd() {
	case ${EXIT_CODE:-}:${EXIT_STATUS:-} in
	exited:2[0-4][0-9])
		myself
		refuse "systemd could not start it: step $EXIT_STATUS of systemd.exec(5)"
		;;
	exited:*) status=$EXIT_STATUS ;;
	*:HUP) status=129 ;;
	*:INT) status=130 ;;
	*:QUIT) status=131 ;;
	*:ILL) status=132 ;;
	*:TRAP) status=133 ;;
	*:ABRT) status=134 ;;
	*:BUS) status=135 ;;
	*:FPE) status=136 ;;
	*:KILL) status=137 ;;
	*:SEGV) status=139 ;;
	*:PIPE) status=141 ;;
	*:ALRM) status=142 ;;
	*:TERM) status=143 ;;
	*:XCPU) status=152 ;;
	*:XFSZ) status=153 ;;
	*:SYS) status=159 ;;
	:*)
		# There was no process: it was not to be started, or stopped in a pause.
		case ${SERVICE_RESULT:-} in
		resources | protocol | start-limit-hit)
			myself
			refuse "systemd could not start it ($SERVICE_RESULT)"
			;;
		esac
		exit 0
		;;
	*) status=128 ;;
	esac
	[ "${SERVICE_RESULT:-}" != oom-kill ] || why='out of memory'
}
# Puts aside what a crashed node left, but for its logs and its state, which stay where they are. Sets crash to the
# folder's name. The newest 10 of a node stay, for 30 days.
save() {
	crashes=${dir%/nodes/*}/crash/$node
	crash=$(date -u +%Y-%m-%dT%H%M%SZ)
	# A core holds all that the node knew.
	mask=$(umask)
	umask 077
	mkdir -p "$crashes"
	mkdir "$crashes/$crash" || crash=$crash-$now
	if ! mkdir -p "$crashes/$crash"; then
		umask "$mask"
		crash=''
		return
	fi
	into=$crashes/$crash
	for file in core core.*; do
		case $file in
		core | core.[0-9]* | core.*."$p") [ ! -f "$file" ] || mv -f "$file" "$into/" ;;
		esac
	done
	for file in stderr stdout; do
		[ ! -f "$file" ] || tail -c 1048576 "$file" >"$into/$file"
	done
	[ ! -f .status ] || cp .status "$into/.status"
	pattern=''
	read -r pattern </proc/sys/kernel/core_pattern
	case $pattern in
	'|'* | /*) printf 'The kernel puts cores elsewhere: core_pattern is %s\n' "$pattern" >"$into/core.where" ;;
	esac
	# The binary, and each argument in a line of its own; what is secret is in the environment.
	while IFS= read -r line; do
		case $line in
		"zeek "* | "arg "*) printf '%s\n' "${line#* }" ;;
		esac
	done <"$start" >"$into/command"
	prune_crashes "$crashes"
	umask "$mask"
} 2>/dev/null
# Has a backtrace made of a saved core, where there is a gdb, by a process that nobody waits for.
trace() {
	for file in "$into"/core "$into"/core.*; do
		case $file in
		*/core.where) continue ;;
		esac
		[ -f "$file" ] || continue
		command -v gdb || return
		set -- /bin/sh "$0" backtrace "$home" "$dir" "$release" "$node" "$file"
		if [ "$status_of" = systemd ]; then
			# The unit's processes end with it.
			systemd-run ${MANAGERPID:+--user} --quiet --collect --no-block -p Nice=19 -p RuntimeMaxSec=180 "$@"
		elif command -v setsid; then
			setsid "$@" &
		else
			"$@" &
		fi
		return
	done
} </dev/null >/dev/null 2>&1
backtrace() {
	while read -r key value; do
		[ "$key" = zeek ] && break
	done <"$start"
	unset DEBUGINFOD_URLS
	cd "${1%/*}" || exit
	umask 077
	timeout 150 gdb -batch -nx -ex 'thread apply all backtrace' "$value" "$1" >backtrace.new 2>&1 </dev/null
	mv -f backtrace.new backtrace
}
record() {
	status=$1 status_of=$1 pause='' why='' crash=''
	[ "$status" != systemd ] || from_systemd
	seconds
	# A start that was refused has said so.
	if [ "$status" = 77 ] && [ -f exit ]; then
		while read -r key _; do
			[ "$key" = refused ] && pause=0
		done <./exit
		[ -z "$pause" ] || exit 0
	fi
	restart=on-crash
	while read -r key value; do
		case $key in
		restart) restart=$value ;;
		zeekpath) break ;;
		esac
	done <"$start"
	id="$boot - -" ran=0 p=''
	if [ -f exit ]; then
		# It did not become a node.
		read_tries exit
	else
		identity run
		if [ "$b" = "$boot" ] && [ -n "$s" ]; then
			id="$b $p $s"
			# In a container the uptime may be the container's, while the kernel counts a process's start from its own.
			while read -r key value; do
				case $key:$value in
				at:*[!0-9]* | at:) break ;;
				at:*) ran=$((now - value)) && break ;;
				esac
			done <./run
		fi
		read_tries run
	fi
	[ "$ran" -ge 60 ] && tries=0
	pause=0
	if [ "$2" = asked ] || [ -e stop ] || [ -e asked ]; then
		next=stopped
	else
		tries=$((tries + 1))
		if [ "$restart" = never ]; then
			next=never
		elif [ "$tries" -gt 10 ]; then
			next=failed
		else
			pause=1 next=1
			while [ "$next" -lt "$tries" ] && [ "$pause" -lt 60 ]; do
				pause=$((pause * 2)) next=$((next + 1))
			done
			[ "$pause" -gt 60 ] && pause=60
			next=$pause
		fi
	fi
	[ "$next" = stopped ] || save
	keep exit "id $id
status $status
at $now
ran $ran
tries $tries
next $next${why:+
why $why}${crash:+
crash $crash}" || { [ "$pause" = 0 ] || pause=1; }
	if [ -n "$crash" ]; then
		cp exit "$into/exit"
		trace
	fi
	exit "$pause"
}
case $verb in
may) may ;;
run) cleanly sh "$0" running "$home" "$dir" "$release" "$node" ;;
running) run_node ;;
parse) cleanly sh "$0" parsing "$home" "$dir" "$release" "$node" "$6" ;;
parsing) parse_node "$6" ;;
asked) [ -z "${MAINPID:-}" ] || : >asked ;;
ended) record "$6" "${7:--}" ;;
backtrace) backtrace "$6" ;;
esac
