# Says which CPUs are online, and which of them our control group may use, as far as it says so: cpuset(7) of the
# kernel's cgroup-v1 and cgroup-v2. The mask of a process says less: a pin may leave it.
cpus() {
	online=-
	{ read -r online </sys/devices/system/cpu/online; } 2>/dev/null
	allowed=- group='' set=''
	while IFS= read -r line; do
		case $line in
		0::*) [ -n "$set" ] || group=${line#0::} set=/sys/fs/cgroup file=cpuset.cpus.effective ;;
		*:cpuset:*) group=${line#*:cpuset:} set=/sys/fs/cgroup/cpuset file=cpuset.effective_cpus ;;
		esac
	done 2>/dev/null </proc/self/cgroup
	group=${group%/}
	# Where a group has none of its own, its parent's counts.
	until [ -z "$set" ]; do
		{ read -r allowed <"$set$group/$file"; } 2>/dev/null && break
		[ -n "$group" ] || break
		group=${group%/*}
	done
	say cpus "$online ${allowed:--}"
}
