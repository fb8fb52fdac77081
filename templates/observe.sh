# Facts of a host. Arguments: the cluster's folder, the spool folder, the Zeek binary. altered.sh or altered-all.sh stands
# before it.
home=$1 spool=$2 zeek=$3
read -r up _ </proc/uptime
machine=-
{ read -r machine </etc/machine-id; } 2>/dev/null
# The clock that processes' starts are counted by: in a container the uptime may be another one. It is told by a process
# that has just been started, the one that becomes date.
clocks=$(
	myself
	printf '%s ' "${me##* }"
	exec date +%s
)
say clock "${clocks% *}"
say host "${machine:--} $boot $up ${clocks#* }"
# No process for a link: a physical cd tells where it leads.
if cd -P "$home/current" 2>/dev/null; then
	say current "${PWD##*/}"
	[ -f clusterctl/version ] && dump running clusterctl/version
	lost
	[ ! -f manifest ] || altered
fi
cd / || exit 1
# The binary, and logs that wait for the archive: how many, and how long the oldest of the first of them.
waiting=0
set --
for file in "$spool"/log-queue/*__[0-9][0-9][0-9][0-9]-*__[0-9][0-9][0-9][0-9]-*__*; do
	[ -e "$file" ] || break
	waiting=$((waiting + 1))
	[ "$waiting" -gt 200 ] || set -- "$@" "$file"
done
set -f
binary='' oldest=''
newline='
'
IFS=$newline
for line in $(stat -L -c '%s %Y %n' "$zeek" "$@" 2>/dev/null); do
	size=${line%% *}
	line=${line#* }
	time=${line%% *}
	if [ "${line#* }" = "$zeek" ]; then
		binary="$size $time"
	elif [ "$time" -lt "${oldest:-$time}" ] || [ -z "$oldest" ]; then
		oldest=$time
	fi 2>/dev/null
done
unset IFS
set +f
say binary "$binary"
say queue "$waiting ${oldest:--}"
[ -x "${zeek%/*}/zeek-archiver" ] && say archiver
# What is free where logs go, in per cent. A file system that hangs is not waited for.
archive=''
if [ -f "$home/current/clusterctl/logs.conf" ]; then
	while read -r key value; do
		[ "$key" = archive ] && archive=$value
	done <"$home/current/clusterctl/logs.conf"
	timeout -s KILL 3 df -Pk "$spool" ${archive:+"$archive"} 2>/dev/null | while read -r _ size _ free _ mount; do
		case $size$free in
		*[!0-9]* | '') ;;
		*) share "$free" "$size" && say room "$share $mount" ;;
		esac
	done
fi
if [ -f "$home/maintain" ]; then
	dump maintain "$home/maintain"
	[ -f "$home/maintained" ] && dump maintained "$home/maintained"
fi
[ -f "$home/journal" ] && dump journal "$home/journal"
# The lock of a holder that is gone holds nothing.
identity "$home/lock" && alive "$b" "$p" "$s" && read -r line <"$home/lock" && say lock "$line"
# Is the unit active, or in the pause before its next start? All of the cluster's units are asked for at once, the
# first time: those of nodes that run need no question.
shown=''
# shellcheck disable=SC1003
active() {
	if [ -z "$shown" ]; then
		manager
		unit_of "${home##*/}" '*'
		# What a backslash means in a pattern depends on systemctl's version; that any character stands there does not.
		swap "$unit" '\' '?'
		if [ "$uid" = 0 ]; then
			shown=$(systemctl show -p Id -p ActiveState "$out" 2>/dev/null)
		else
			shown=$(XDG_RUNTIME_DIR=/run/user/$uid systemctl --user show -p Id -p ActiveState "$out" 2>/dev/null)
		fi
		shown=$shown:
	fi
	case $shown in
	*"Id=$1
ActiveState=active"* | *"Id=$1
ActiveState=activating"* | *"Id=$1
ActiveState=deactivating"*) return 0 ;;
	esac
	return 1
}
known='' salt=''
# Says what is known of the node $node in $dir; not 0 where it was started meanwhile, so that part of what was said is
# of the process before.
look() {
	identity "${dir}run"
	was=$b:$p:$s
	say node "$node"
	ended=''
	for file in want run exit; do
		[ -f "$dir$file" ] || continue
		dump "$file" "$dir$file" "at ran"
		[ "$file" != exit ] || ended=1
	done
	[ -f "${dir}exit.last" ] && dump last "${dir}exit.last" "at ran"
	if [ -e "${dir}stop" ]; then
		again=''
		{ read -r again <"${dir}stop"; } 2>/dev/null
		say stop "$again"
	fi
	if [ -f "$dir.status" ]; then
		status=''
		{ IFS= read -r status <"$dir.status"; } 2>/dev/null
		say status "$status"
	fi
	# What the current release would start it with.
	if [ -f "$home/current/start/$node" ]; then
		made=''
		# The salt is for observe-all.sh.
		# shellcheck disable=SC2034
		while read -r key value; do
			case $key in
			input) say due "$value" ;;
			zeek) made=$value ;;
			# Of another Zeek than the description's it says nothing.
			binary) [ "$made" = "$zeek" ] && say made "$value" ;;
			salt) salt=$value ;;
			zeekpath) break ;;
			esac
		done <"$home/current/start/$node"
	fi
	if node_alive "$dir"; then
		say process "$p $rest"
		eval "known_$p=1"
		while read -r key value _; do
			case $key in
			VmRSS:)
				say resident "$value"
				break
				;;
			esac
		done <"/proc/$p/status"
		supervised "$dir" && say supervised "${unit:+unit}"
	else
		if { IFS= read -r unit <"${dir}unit"; } 2>/dev/null; then
			active "$unit" && keeper=1 || keeper=''
		else
			supervisor_alive "$dir" && keeper=1 || keeper=''
		fi
		if [ -n "$keeper" ]; then
			say supervised
		elif [ -z "$ended" ] && [ -f "${dir}exit" ]; then
			# Its end was recorded while we looked.
			dump exit "${dir}exit" "at ran"
		fi
	fi
	identity "${dir}run"
	[ "$b:$p:$s" = "$was" ]
}
for dir in "$spool"/nodes/*/; do
	[ -d "$dir" ] || continue
	node=${dir%/}
	node=${node##*/}
	# What is said last counts.
	look || look || look
done
say nodes end
# Zeek processes that are not among them. Who runs them, and from where, is told by what nobody else can write: the
# kernel, and the folders of other clusters beside ours. Those of other users are described in a bounded number.
found=''
for file in /proc/[0-9]*/comm; do
	comm=''
	{ read -r comm <"$file"; } 2>/dev/null
	[ "$comm" = zeek ] || continue
	pid=${file#/proc/}
	pid=${pid%/comm}
	eval "known=\${known_$pid:-}"
	[ -n "$known" ] || found="$found $pid"
done
# One that became a node while we looked is none: its `run` was there before it was a Zeek.
[ -z "$found" ] || for dir in "$spool"/nodes/*/; do
	node_alive "$dir" && eval "known_$p=1"
done
# Sets of to the user of the process $1.
user_of() {
	of=''
	while read -r key of _; do
		[ "$key" = Uid: ] && return
	done <"/proc/$1/status"
	of=''
} 2>/dev/null
# Sets ppid and since to the parent and the start of a process: fields 4 and 22 of proc(5) stat.
lineage() {
	ppid=${2:-} since=${20:-}
}
mine=0 others=0 more=0
set --
lines='' places=''
[ -z "$found" ] || {
	manager
	say uid "$uid"
}
for pid in $found; do
	eval "known=\${known_$pid:-}"
	[ -z "$known" ] || continue
	{ read -r stat <"/proc/$pid/stat"; } 2>/dev/null || continue
	rest=${stat##*') '}
	case $rest in
	[ZX]\ *) continue ;;
	esac
	# shellcheck disable=SC2086
	lineage $rest
	user_of "$pid"
	if [ "$of" = "$uid" ]; then
		mine=$((mine + 1)) rank=$mine limit=500
	else
		others=$((others + 1)) rank=$others limit=20
	fi
	case $ppid:$since:$of in
	*[!0-9:]* | :* | *::* | *:) rank=$limit limit=0 ;;
	esac
	if [ "$rank" -gt "$limit" ]; then
		more=$((more + 1))
		continue
	fi
	say unmanaged "$pid $of $ppid"
	lines="$lines $pid $since"
	eval "stray_$pid=1"
	{
		while IFS= read -r line; do
			case $line in
			*/clusterctl@*) say unit "${line##*/clusterctl@}" ;;
			esac
		done <"/proc/$pid/cgroup"
	} 2>/dev/null
	set -- "$@" "/proc/$pid/cmdline"
	[ "$ppid" -le 1 ] || set -- "$@" "/proc/$ppid/cmdline"
	places="$places /proc/$pid/environ"
done
[ -z "$lines" ] || for dir in "${home%/*}"/*/nodes/*/ "${spool%/*}"/*/nodes/*/; do
	case $dir in
	"$spool"/*) continue ;;
	esac
	node_alive "$dir" || continue
	eval "known=\${stray_$p:-}"
	[ -z "$known" ] || say folder "$p ${dir%/}"
done
# With -z a record of grep's is an argument or a variable, of which none can have the separator in it, and each begins
# with the name of its file.
[ -z "$lines" ] || {
	grep -zHasoE -m 24 '^.{0,300}' "$@"
	# shellcheck disable=SC2086
	exec grep -zHasoE -m 2 '^CLUSTER(_NODE|CTL)=.{0,200}' $places
} | tr '\n\0' ' \n' | {
	while IFS= read -r line; do
		line=${line#/proc/}
		pid=${line%%/*} line=${line#*/}
		say "${line%%:*}" "$pid ${line#*:}"
	done
	# What was read of a process that is another one by now says nothing.
	# shellcheck disable=SC2086
	set -- $lines
	while [ "$#" -gt 1 ]; do
		alive "$boot" "$1" "$2" || say gone "$1"
		shift 2
	done
}
[ "$more" = 0 ] || say more "$more"
say observed end
