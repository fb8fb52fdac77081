# More about nodes, for people who look for what is wrong; observe.sh stands before it and has set home and spool.
# Input: how many lines of each file, how many bytes of it; the names of variables that may be told, with blanks around
# each; `all`, or `unwell` where nodes that run are passed over; nodes, up to an empty line. No secret is told: neither the
# value of another variable, nor a line in which one is, or a key; of any node and release that is here, since nodes log
# what others say, and old files have old secrets.
IFS= read -r most
IFS= read -r bytes
IFS= read -r plain
IFS= read -r which
{ read -r value </proc/sys/kernel/osrelease && say kernel "$value"; } 2>/dev/null
{ read -r value </proc/loadavg && say load "$value"; } 2>/dev/null
while read -r key value _; do
	case $key in
	MemTotal: | MemAvailable:) say memory "$key $value" ;;
	Buffers:) break ;;
	esac
done </proc/meminfo 2>/dev/null
timeout -s KILL 3 df -Pk "$home" "$spool" 2>/dev/null | while read -r _ size _ free _ mount; do
	case $size$free in
	*[!0-9]* | '') ;;
	*) say disk "$size $free $mount" ;;
	esac
done
# Prints what no line may have in it that is told, by one of the files that nodes start by.
secret_values() {
	while IFS= read -r line; do
		case $line in
		"env CLUSTERCTL_TLS_KEY="*)
			while IFS= read -r value; do
				case $value in
				-----*) ;;
				*) long "$value" ;;
				esac
			done <"${line#env CLUSTERCTL_TLS_KEY=}"
			;;
		"env "*)
			value=${line#env }
			case $plain in
			*" ${value%%=*} "*) ;;
			*) long "${value#*=}" ;;
			esac
			;;
		"secrets "*)
			while IFS= read -r value; do
				long "${value#*=}"
			done <"$home/secrets/${line#secrets }"
			;;
		esac
	done <"$1"
} 2>/dev/null
# The value, and as JSON has it.
long() {
	[ "${#1}" -ge 4 ] || return 0
	printf '%s\n' "$1"
	case $1 in
	*[\"\\]*) printf '%s\n' "$1" | sed 's/["\\]/\\&/g' ;;
	esac
}
all_secret_values() {
	for each in "$home"/releases/*/start/*; do
		[ ! -f "$each" ] || secret_values "$each"
	done
}
newline='
'
hidden=$(all_secret_values)
# The token keeps the list from being empty, which is no list to some.
hidden=$T${hidden:+$newline$hidden}
# Says the last lines of a file: what it is called, its path. No link is followed.
show() {
	if [ ! -s "$2" ] || [ ! -f "$2" ] || [ -L "$2" ]; then
		return
	fi
	say text "$1"
	# A line without its begin could have the rest of a secret.
	cut=''
	[ "$(wc -c <"$2")" -le "$bytes" ] || cut=1d
	printf '%s\n' "$hidden" | {
		exec 3<&0
		tail -c "$bytes" "$2" </dev/null | sed "$cut" | grep -avF -f /proc/self/fd/3 3<&3
	} | tail -n "$most" | sed "s/^/$T line /"
	echo
}
told_start() {
	while IFS= read -r line; do
		value=${line#* }
		case $line in
		"zeek "* | "arg "*) say arg "$value" ;;
		"cpu "* | "nice "* | "nofile "* | "core "* | "memory "* | "restart "*) say set "$line" ;;
		"unit "*) say set "$value" ;;
		"env "*)
			case $plain in
			*" ${value%%=*} "*) say env "$value" ;;
			*) say hidden "${value%%=*}" ;;
			esac
			;;
		esac
	done <"$start"
} 2>/dev/null
of_process() {
	while IFS= read -r line; do
		case $line in
		"Max open files"* | "Max core file size"* | "Max address space"*) say limit "$line" ;;
		esac
	done <"/proc/$p/limits"
	while read -r key value _; do
		case $key in
		Threads:) say threads "$value" ;;
		Cpus_allowed_list:) say cpus "$value" ;;
		esac
	done <"/proc/$p/status"
} 2>/dev/null
of_crashes() {
	newest=''
	for crash in "$spool/crash/$node"/*/; do
		[ -d "$crash" ] || break
		newest=${crash%/}
		name=${newest##*/}
		say crash "$name"
	done
	[ -n "$newest" ] && [ ! -L "$newest" ] || return
	for file in "$newest"/* "$newest"/.status; do
		[ -f "$file" ] && say left "$(stat -c %s "$file" 2>/dev/null) ${file##*/}"
	done
	show "crash/$name/stderr" "$newest/stderr"
	show "crash/$name/backtrace" "$newest/backtrace"
	show "crash/$name/core.where" "$newest/core.where"
}
nodes=''
while IFS= read -r node && [ -n "$node" ]; do
	dir=$spool/nodes/$node
	status=''
	{ IFS= read -r status <"$dir/.status"; } 2>/dev/null
	runs=''
	node_alive "$dir" && runs=$p
	case $which:$runs:$status in
	unwell:?*:RUNNING*) continue ;;
	esac
	say about "$node"
	nodes="$nodes $node"
	release=''
	{ while read -r key value; do
		[ "$key" = release ] && release=$value
	done <"$dir/run"; } 2>/dev/null
	start=$home/releases/$release/start/$node
	[ -n "$release" ] && [ -f "$start" ] || start=$home/current/start/$node
	told_start
	[ -z "$runs" ] || { p=$runs && of_process; }
	show .status "$dir/.status"
	show stderr "$dir/stderr"
	show stdout "$dir/stdout"
	show reporter.log "$dir/reporter.log"
	[ -n "$runs" ] || show stderr.last "$dir/stderr.last"
	show supervisor.err "$dir/supervisor.err"
	of_crashes
done
# What nodes depend on in each of the last releases: names and digests.
count=0
# shellcheck disable=SC2012
cd "$home/releases" 2>/dev/null && ls -1t -- *.info 2>/dev/null | while IFS= read -r info; do
	release=${info%.info}
	case $release in
	*[!0-9a-f]* | '') continue ;;
	esac
	count=$((count + 1))
	[ "$count" -le 5 ] || break
	say release "$release"
	dump info "$info"
	for node in $nodes; do
		{ while read -r key digest value; do
			[ "$key" = input ] && say input "$node $digest $value"
		done <"$release/start/$node"; } 2>/dev/null
	done
done
say about end
