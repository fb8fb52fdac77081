# The verb `ended`: records how the node ended, and when it is started again; node-backtrace.sh is what it calls for a core.
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
