#!/usr/bin/env bash
# Real hosts on one machine: systemd and sshd in systemd-nspawn, on one bridge. See README.md here.
set -euo pipefail

LAB_REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
LAB_TARGET=${CARGO_TARGET_DIR:-$LAB_REPO/target}
# Several labs may be up at once on a machine: what is the machine's own (bridge, network, names of containers and
# control groups) follows from this number, and so does the folder.
LAB_ID=${LAB_ID:-0}
case $LAB_ID in
0) LAB_DIR=${LAB_DIR:-$LAB_TARGET/lab} LAB_PREFIX= ;;
[1-9] | [1-9][0-9]) LAB_DIR=${LAB_DIR:-$LAB_TARGET/lab-$LAB_ID} LAB_PREFIX=$LAB_ID- ;;
*) printf 'lab: error: LAB_ID is a number from 0 to 99, not %s\n' "$LAB_ID" >&2 && exit 1 ;;
esac
LAB_DIR=$(realpath -m "$LAB_DIR")
# The hosts' base file system, which all labs can share.
LAB_BASE=$(realpath -m "${LAB_BASE:-$LAB_TARGET/lab}")
LAB_BRIDGE=zlab$LAB_ID
# 198.18.0.0/15 is reserved for tests of network devices (RFC 2544); it is routed nowhere.
LAB_NET=198.18.$LAB_ID
# Seconds from the start of a host to a login over SSH.
LAB_DEADLINE=${LAB_DEADLINE:-180}

HOSTS=$LAB_DIR/hosts
RUN=$LAB_DIR/run
LOG=$LAB_DIR/log
DEFAULT_HOSTS=(mgmt sensor1 sensor2 sensor3)

say() { printf 'lab: %s\n' "$*" >&2; }
die() {
	printf 'lab: error: %s\n' "$*" >&2
	exit 1
}

usage() {
	cat <<-END
		usage: lab.sh VERB [ARGUMENT...]

		  base                    make the hosts' base file system (once)
		  simprefix [FOLDER]      make a Zeek prefix of the built zeek-sim; prints its path
		  up [NAME...]            start hosts (${DEFAULT_HOSTS[*]}); prints the run folder
		  down                    end everything that up started
		  status                  what is there

		  poweroff NAME           end a host at once, as by its power switch
		  poweron NAME            boot it again, with the same disk
		  reboot NAME             an orderly reboot
		  cut NAME | join NAME    pull its network cable | plug it in
		  freeze-sshd NAME | thaw-sshd NAME
		  small-disk NAME SIZE    a full-able disk (tmpfs) over /var/lib/clusterctl; SIZE off takes it away
		  exec NAME COMMAND...    run a command as root in the host, without SSH
		  ps NAME                 the host's processes
		  logs                    keep what the hosts know of their nodes, under target/lab/log

		LAB_ZEEK=PREFIX           a Zeek to show to the hosts: a real one, or a folder of simprefix
		LAB_ID=N                  another lab beside those that are up, on 198.18.N.0/24 (0 to 99)
		LAB_BASE=FOLDER           where the base file system is kept, for all labs that name it
	END
}

need() {
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || die "$tool is not installed; tests/run.sh installs what the lab needs"
	done
}

need_root() { [ "$(id -u)" = 0 ] || die "the lab has to be run by root (namespaces, mounts, a bridge)"; }

# ------------------------------------------------------------------------------------------------ base

# What a host is made of: a small system, the login shells that clusterctl has to get along with,
# and the libraries of a real Zeek. No Python: the hosts of a cluster need none.
base_packages() {
	printf '%s\n' \
		systemd systemd-sysv dbus libpam-systemd openssh-server iproute2 procps libcap2-bin gdb-minimal \
		dash busybox tcsh fish \
		libpcap0.8 libssl3 libzmq5 libc-ares2 libmaxminddb0 libuv1 libsqlite3-0 zlib1g
}

# The same release as this machine's, so that what is built here finds its libc there.
base_suite() {
	# shellcheck source=/dev/null
	(. /etc/os-release && [ "${ID:-}" = debian ] && printf '%s\n' "${VERSION_CODENAME:?}") ||
		die "the lab's hosts are made by debootstrap from this machine's Debian, and this is not Debian"
}

# The mirror that this machine itself uses.
base_mirror() {
	local suite=$1 uri
	# shellcheck disable=SC2016  # apt's own variables
	uri=$(apt-get indextargets --format '$(CREATED_BY) $(CODENAME) $(COMPONENT) $(REPO_URI)' 2>/dev/null |
		awk -v s="$suite" '$1 == "Packages" && $2 == s && $3 == "main" { print $4; exit }')
	if [ -z "$uri" ]; then
		# No index was fetched yet: read the sources themselves.
		uri=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
			awk '/^URIs:/ { print $2; exit } $1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; exit } }')
	fi
	[ -n "$uri" ] || die "no Debian mirror for $suite in this machine's apt sources"
	printf '%s\n' "$uri"
}

# Everything that is the same on all hosts, beyond the packages.
base_customise() {
	local root=$1 unit
	chroot "$root" useradd --create-home --shell /bin/bash --comment 'Zeek' zeek
	install -d -m 700 "$root/root/.ssh"
	chroot "$root" install -d -m 700 -o zeek -g zeek /home/zeek/.ssh
	# The admin's one command before the first deploy.
	chroot "$root" install -d -o zeek -g zeek /var/lib/clusterctl
	rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/machine-id" "$root/var/lib/dbus/machine-id"
	# fish brings a Python; a test has to find out when a host would need one.
	rm -f "$root"/usr/bin/python3*
	rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/*
	for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
		systemd-networkd.service systemd-networkd.socket systemd-resolved.service console-getty.service; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done
	cat >"$root/usr/local/sbin/lab-net" <<-'END'
		#!/bin/sh
		set -eu
		ip link set lo up
		ip address replace "$(cat /etc/lab-address)" dev host0
		ip link set host0 up
		# Something to capture on: not every kernel has dummy interfaces.
		ip link show eth1 >/dev/null 2>&1 && exit 0
		ip link add eth1 type dummy 2>/dev/null || { ip link add eth1 type veth peer name eth1-far && ip link set eth1-far up; }
		ip link set eth1 up
	END
	chmod 755 "$root/usr/local/sbin/lab-net"
	cat >"$root/etc/systemd/system/lab-net.service" <<-'END'
		[Unit]
		Description=Address of this host in the lab
		DefaultDependencies=no
		After=local-fs.target
		Before=network.target ssh.service
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=/usr/local/sbin/lab-net
		[Install]
		WantedBy=multi-user.target
	END
	ln -s ../lab-net.service "$root/etc/systemd/system/multi-user.target.wants/lab-net.service"
}

# A change of the packages or of the steps gives another folder.
base_path() {
	local suite=$1 hash
	hash=$({
		printf '%s\n' "$suite"
		base_packages
		declare -f base_customise
	} | sha256sum | cut -c1-12)
	printf '%s/base-%s\n' "$LAB_BASE" "$hash"
}

cmd_base() {
	need_root
	need debootstrap chroot sha256sum flock
	local suite base
	suite=$(base_suite)
	base=$(base_path "$suite")
	[ ! -d "$base" ] || return 0
	mkdir -p "$LAB_BASE" "$LOG"
	# Another lab may be making it just now.
	(
		flock 9
		[ -d "$base" ] || make_base "$suite" "$base"
	) 9>"$LAB_BASE/base.lock"
}

make_base() {
	local suite=$1 base=$2 mirror tmp include old
	mirror=$(base_mirror "$suite")
	tmp=$LAB_BASE/new-base.$$
	include=$(base_packages | paste -sd,)
	say "making the hosts' base file system, $suite, once (about a minute and 300 MB; log: $LOG/base.log)"
	# shellcheck disable=SC2064  # the value of now
	trap "remove_tree '$tmp'" EXIT
	# The environment's own proxies are for other hosts than apt's; debootstrap has to reach what apt reaches.
	local proxy=
	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	if ! http_proxy=${proxy:-${http_proxy:-}} LC_ALL=C DEBIAN_FRONTEND=noninteractive \
		debootstrap --variant=minbase --include="$include" "$suite" "$tmp" "$mirror" >"$LOG/base.log" 2>&1 </dev/null 9>&-; then
		tail -n 20 "$LOG/base.log" >&2
		die "debootstrap failed"
	fi
	base_customise "$tmp" >>"$LOG/base.log" 2>&1 || { tail -n 5 "$LOG/base.log" >&2 && die "the base file system could not be set up"; }
	mv -T "$tmp" "$base"
	trap - EXIT
	for old in "$LAB_BASE"/base-* "$LAB_BASE"/new-base.*; do
		[ "$old" = "$base" ] || [ ! -e "$old" ] || grep -qF "lowerdir=$old," /proc/self/mountinfo || remove_tree "$old"
	done
}

# ------------------------------------------------------------------------------------------------ hosts

# Removes a folder, and never what is mounted in it.
remove_tree() {
	[ -e "$1" ] || return 0
	unmount_below "$1"
	rm -rf --one-file-system "$1"
}

# Unmounts whatever lies at or below a folder, the innermost first.
unmount_below() {
	local mount
	# The fifth field is octal-escaped; "//deleted" is the kernel's mark for a mount point that was removed.
	awk '{ print $5 }' /proc/self/mountinfo | sed 's,//deleted$,,' | tac | while read -r mount; do
		mount=$(printf '%b' "$mount")
		case $mount in
		"$1" | "$1"/*) umount "$mount" 2>/dev/null || umount --lazy "$mount" 2>/dev/null || true ;;
		esac
	done
}

# The hosts' nspawn processes on our bridge, as "PID FOLDER" lines. Read from the processes themselves,
# so that it is right also when our files are gone. Only parents: nspawn's child is named like it at first.
nspawns() {
	local pid args folder
	for pid in $(pgrep -x systemd-nspawn || true); do
		mapfile -d '' -t args <"/proc/$pid/cmdline" 2>/dev/null || continue
		case " ${args[*]} " in *" --network-bridge=$LAB_BRIDGE "*) ;; *) continue ;; esac
		[ "$(ps -o comm= -p "$(ps -o ppid= -p "$pid" | tr -d ' ')" 2>/dev/null)" != systemd-nspawn ] || continue
		folder=$(printf '%s\n' "${args[@]}" | sed -n 's/^--directory=//p')
		printf '%s %s\n' "$pid" "$folder"
	done
}

# As nspawns, only those of this lab.
hosts_running() { nspawns | awk -v h="$HOSTS/" 'index($2, h) == 1'; }

nspawn_of() { nspawns | awk -v r="$HOSTS/$1/root" '$2 == r { print $1; exit }'; }

# The host's own process 1, as this machine sees it.
leader_of() {
	local pid leader
	pid=$(nspawn_of "$1")
	[ -n "$pid" ] || return 1
	leader=$(pgrep -o -P "$pid") || return 1
	[ "$(cat "/proc/$leader/comm" 2>/dev/null)" = systemd ] || return 1
	printf '%s\n' "$leader"
}

known_host() {
	[ -d "$HOSTS/$1" ] || die "no host named $1 in the lab; it has: $(host_names | paste -sd' ')"
}

host_names() {
	local dir
	for dir in "$HOSTS"/*/; do
		[ -d "$dir" ] && basename "$dir"
	done
	return 0
}

running_leader() {
	known_host "$1"
	leader_of "$1" || die "$1 is not running"
}

address_of() { cat "$HOSTS/$1/address"; }

make_bridge() {
	local other
	other=$(nspawns | awk -v h="$HOSTS/" 'index($2, h) != 1 { print $2; exit }')
	[ -z "$other" ] || die "another lab is running on $LAB_BRIDGE ($other); take that one down first, or choose another LAB_ID"
	if ! ip link show "$LAB_BRIDGE" >/dev/null 2>&1; then
		ip link add "$LAB_BRIDGE" type bridge
	fi
	ip address replace "$LAB_NET.1/24" dev "$LAB_BRIDGE"
	ip link set "$LAB_BRIDGE" up
}

next_address() {
	local last=11 dir number
	for dir in "$HOSTS"/*/; do
		[ -f "$dir/address" ] || continue
		number=$(sed 's/.*\.//' "$dir/address")
		[ "$number" -lt "$last" ] || last=$((number + 1))
	done
	printf '%s.%s\n' "$LAB_NET" "$last"
}

# A host's own disk and identity, over the common base.
make_host() {
	local name=$1 base=$2 dir=$HOSTS/$1 root=$HOSTS/$1/root
	mkdir -p "$dir/upper" "$dir/work" "$root"
	mount_host "$name" "$base"
	printf '%s\n' "$name" >"$root/etc/hostname"
	tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
	printf '%s/24\n' "$(address_of "$name")" >"$root/etc/lab-address"
	{
		printf '127.0.0.1 localhost\n::1 localhost\n'
		cat "$HOSTS"/*/hosts-line
	} >"$root/etc/hosts"
	ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$root/etc/ssh/ssh_host_ed25519_key"
	# A real Zeek that captures on lo has to see something there.
	cat >"$root/etc/systemd/system/lab-traffic.service" <<-'END'
		[Unit]
		Description=A packet now and then on the loopback interface
		[Service]
		ExecStart=/bin/bash -c 'while sleep 2; do echo >/dev/udp/127.0.0.1/9; done'
		[Install]
		WantedBy=multi-user.target
	END
	ln -s ../lab-traffic.service "$root/etc/systemd/system/multi-user.target.wants/lab-traffic.service"
	install -m 600 "$RUN/id_ed25519.pub" "$root/root/.ssh/authorized_keys"
	install -m 600 "$RUN/id_ed25519.pub" "$root/home/zeek/.ssh/authorized_keys"
	chroot "$root" chown zeek:zeek /home/zeek/.ssh/authorized_keys
}

mount_host() {
	local dir=$HOSTS/$1
	mount -t overlay "lab-$1" -o "lowerdir=$2,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"
}

# Where the hosts see the Zeek of LAB_ZEEK: a real one has its own path compiled in.
zeek_path_inside() {
	if [ -e "$1/etc/zeek-sim.conf" ]; then printf '/opt/zeek\n'; else printf '%s\n' "$1"; fi
}

# A second prefix whose binary has file capabilities: what root can read of such a process in /proc,
# its own user can't. Also the way for an ordinary user to capture with a real Zeek.
make_capable_prefix() {
	local prefix=$1 inside=$2 dir=$LAB_DIR/zeek-cap entry
	remove_tree "$dir"
	mkdir -p "$dir/bin"
	for entry in "$prefix"/*; do
		[ "${entry##*/}" = bin ] || ln -s "$inside/${entry##*/}" "$dir/${entry##*/}"
	done
	for entry in "$prefix"/bin/*; do
		[ "${entry##*/}" = zeek ] || ln -s "$inside/bin/${entry##*/}" "$dir/bin/${entry##*/}"
	done
	cp -L "$prefix/bin/zeek" "$dir/bin/zeek"
	setcap cap_net_raw,cap_net_admin+eip "$dir/bin/zeek"
}

# The control groups in which a host's systemd keeps its units, of the hierarchies that systemd uses
# (version 2, and version 1's name=systemd). Each host needs its own: nspawn names them all alike, and
# hosts that share them see each other's processes in their units.
host_cgroups() {
	local name=$1 mount own
	awk '/ - cgroup2 / || / - cgroup .*name=systemd/ { print $5 }' /proc/self/mountinfo | while read -r mount; do
		case $(stat --file-system --format=%T "$mount") in
		cgroup2fs) own=$(sed -n 's/^0:://p' /proc/self/cgroup) ;;
		*) own=$(sed -n 's/^[0-9]*:name=systemd://p' /proc/self/cgroup) ;;
		esac
		[ -d "$mount$own" ] || own=
		printf '%s/clusterctl-lab-%s-%s\n' "${mount}${own%/}" "$LAB_ID" "$name"
	done
}

remove_cgroups() {
	local top
	# Unquoted: `*` stands for all hosts.
	for top in $(host_cgroups "$1"); do
		[ ! -d "$top" ] || find "$top" -depth -type d -exec rmdir {} + 2>/dev/null || true
	done
}

boot_host() {
	local name=$1 binds=() cgroups=()
	mapfile -t binds <"$RUN/binds"
	mapfile -t cgroups < <(host_cgroups "$name")
	# A session of its own: a Ctrl-C for the tests is not one for the hosts.
	# shellcheck disable=SC2016  # for the inner shell
	setsid bash -c 'while [ "$1" != -- ]; do mkdir -p "$1" && echo $$ >"$1/cgroup.procs" || exit; shift; done; shift; exec "$@"' \
		lab-boot "${cgroups[@]}" -- systemd-nspawn --register=no --keep-unit --quiet --boot --directory="$HOSTS/$name/root" --machine="$LAB_PREFIX$name" --hostname="$name" \
		--network-bridge="$LAB_BRIDGE" --resolv-conf=off --timezone=off --link-journal=no "${binds[@]}" \
		>>"$LOG/$name.console" 2>&1 </dev/null &
}

# Waits for what a test will do first: a login over SSH.
await_host() {
	local name=$1 end=$((SECONDS + LAB_DEADLINE))
	until [ "$(ssh -F "$RUN/ssh_config" -o ConnectTimeout=2 "$name" echo ready </dev/null 2>"$LOG/$name.ssh")" = ready ]; do
		if [ -z "$(nspawn_of "$name")" ]; then
			tail -n 20 "$LOG/$name.console" >&2
			die "$name ended while it booted ($LOG/$name.console)"
		fi
		if [ "$SECONDS" -ge "$end" ]; then
			tail -n 20 "$LOG/$name.console" "$LOG/$name.ssh" >&2
			die "no login to $name within $LAB_DEADLINE s"
		fi
		sleep 0.2
	done
}

write_ssh_config() {
	local name address
	: >"$RUN/ssh_config"
	: >"$RUN/known_hosts"
	for name in $(host_names); do
		address=$(address_of "$name")
		cat >>"$RUN/ssh_config" <<-END
			Host $name $address
			    HostName $address
			    User zeek
			    IdentityFile $RUN/id_ed25519
			    IdentitiesOnly yes
			    UserKnownHostsFile $RUN/known_hosts
			    GlobalKnownHostsFile /dev/null
			    StrictHostKeyChecking yes
			    BatchMode yes
			    ServerAliveInterval 3
			    ServerAliveCountMax 3

		END
		printf '%s,%s %s\n' "$name" "$address" "$(cut -d' ' -f1,2 "$HOSTS/$name/root/etc/ssh/ssh_host_ed25519_key.pub")" >>"$RUN/known_hosts"
	done
}

write_hosts_json() {
	local name leader sep=
	{
		printf '{\n  "id": %s,\n  "bridge": "%s",\n  "zeek": %s,\n  "hosts": [' "$LAB_ID" "$LAB_BRIDGE" "$(cat "$RUN/zeek.json")"
		for name in $(host_names); do
			leader=$(leader_of "$name") || leader=null
			printf '%s\n    {"name": "%s", "address": "%s", "leader": %s}' "$sep" "$name" "$(address_of "$name")" "$leader"
			sep=,
		done
		printf '\n  ]\n}\n'
	} >"$RUN/hosts.json.new"
	mv "$RUN/hosts.json.new" "$RUN/hosts.json"
}

cmd_up() {
	need_root
	need systemd-nspawn ip nsenter setcap ssh ssh-keygen pgrep setsid
	local names=("$@") name base dir new=() pids=() pid failed=0
	[ ${#names[@]} -gt 0 ] || names=("${DEFAULT_HOSTS[@]}")
	for name in "${names[@]}"; do
		# An interface of the machine is named after the host: vb-NAME or vb-ID-NAME, at most 15 bytes.
		[[ $name =~ ^[a-z][a-z0-9-]{0,8}$ ]] || die "$name: a host's name has at most 9 of a-z, 0-9 and -"
	done
	cmd_base
	base=$(base_path "$(base_suite)")
	mkdir -p "$RUN" "$HOSTS" "$LOG"
	make_bridge
	if ! hosts_running | grep -q .; then
		rm -f "$LOG"/*.console "$LOG"/*.ssh
		describe_zeek
	fi
	[ -e "$RUN/id_ed25519" ] || ssh-keygen -q -t ed25519 -N '' -C 'clusterctl lab' -f "$RUN/id_ed25519"
	for name in "${names[@]}"; do
		[ -z "$(nspawn_of "$name")" ] || continue
		dir=$HOSTS/$name
		remove_tree "$dir"
		local address
		address=$(next_address)
		mkdir -p "$dir"
		printf '%s\n' "$address" >"$dir/address"
		printf '%s %s\n' "$address" "$name" >"$dir/hosts-line"
		new+=("$name")
	done
	for name in ${new[@]+"${new[@]}"}; do make_host "$name" "$base"; done
	write_ssh_config
	for name in ${new[@]+"${new[@]}"}; do boot_host "$name"; done
	for name in ${new[@]+"${new[@]}"}; do
		await_host "$name" &
		pids+=($!)
	done
	for pid in ${pids[@]+"${pids[@]}"}; do wait "$pid" || failed=1; done
	[ "$failed" = 0 ] || die "not all hosts came up"
	write_hosts_json
	[ ${#new[@]} = 0 ] || check_zeek_inside "${new[0]}"
	printf '%s\n' "$RUN"
}

# Keeps what to show to the hosts for as long as this lab lives.
describe_zeek() {
	local prefix=${LAB_ZEEK:-} inside
	: >"$RUN/binds"
	printf 'null\n' >"$RUN/zeek.json"
	[ -n "$prefix" ] || [ ! -x "$LAB_DIR/simprefix/bin/zeek" ] || prefix=$LAB_DIR/simprefix
	if [ -z "$prefix" ]; then
		say "the hosts have no Zeek (LAB_ZEEK is not set, and lab.sh simprefix was not run)"
		return
	fi
	prefix=$(cd "$prefix" && pwd) || die "LAB_ZEEK: no folder $prefix"
	[ -x "$prefix/bin/zeek" ] || die "LAB_ZEEK: no $prefix/bin/zeek"
	inside=$(zeek_path_inside "$prefix")
	make_capable_prefix "$prefix" "$inside"
	printf '%s\n' "--bind-ro=$prefix:$inside" "--bind-ro=$LAB_DIR/zeek-cap:/opt/zeek-cap" >"$RUN/binds"
	printf '{"prefix": "%s", "capable_prefix": "/opt/zeek-cap", "outside": "%s", "simulated": %s}\n' "$inside" "$prefix" \
		"$([ -e "$prefix/etc/zeek-sim.conf" ] && echo true || echo false)" >"$RUN/zeek.json"
}

check_zeek_inside() {
	local inside missing
	inside=$(sed -n 's/.*"prefix": "\([^"]*\)".*/\1/p' "$RUN/zeek.json" | head -n 1)
	[ -n "$inside" ] || return 0
	missing=$(cmd_exec "$1" ldd "$inside/bin/zeek" 2>&1 | grep 'not found' || true)
	[ -z "$missing" ] || die "the hosts miss libraries of $inside/bin/zeek (add their packages to base_packages):"$'\n'"$missing"
}

# Ends a host at once. The kernel ends all its processes together with its process 1.
kill_host() {
	local name=$1 pid leader end=$((SECONDS + 20))
	pid=$(nspawn_of "$name")
	[ -n "$pid" ] || return 0
	end_nspawn "$pid"
	# Its cable goes with its network namespace, a moment later.
	while ip link show "vb-$LAB_PREFIX$name" >/dev/null 2>&1 && [ "$SECONDS" -lt "$end" ]; do sleep 0.05; done
	remove_cgroups "$name"
}

end_nspawn() {
	local pid=$1 child end=$((SECONDS + 10))
	for child in $(pgrep -P "$pid" || true); do kill -KILL "$child" 2>/dev/null || true; done
	while [ -d "/proc/$pid" ]; do
		[ "$SECONDS" -lt "$end" ] || kill -KILL "$pid" 2>/dev/null || true
		sleep 0.05
	done
}

cmd_down() {
	need_root
	local pid folder link foreign=
	while read -r pid folder; do
		# Another lab's hosts are that lab's business, unless nothing but the processes is left of it.
		case $folder in
		"$HOSTS"/*) end_nspawn "$pid" & ;;
		*) if [ -d "$folder" ]; then foreign=$folder; else end_nspawn "$pid" & fi ;;
		esac
	done < <(nspawns)
	wait
	unmount_below "$HOSTS"
	if [ -z "$foreign" ] && ip link show "$LAB_BRIDGE" >/dev/null 2>&1; then
		for link in $(ip -o link show master "$LAB_BRIDGE" | sed -n 's/^[0-9]*: \([^@:]*\).*/\1/p'); do
			ip link delete "$link" 2>/dev/null || true
		done
		ip link delete "$LAB_BRIDGE"
	fi
	if [ -z "$foreign" ]; then remove_cgroups '*'; fi
	remove_tree "$HOSTS"
	remove_tree "$RUN"
	remove_tree "$LAB_DIR/zeek-cap"
	if [ -n "$foreign" ]; then
		say "another lab is running on $LAB_BRIDGE ($foreign); it was left alone"
		return
	fi
	if [ -n "$(nspawns)" ] || grep -qF " $HOSTS/" /proc/self/mountinfo || ip link show "$LAB_BRIDGE" >/dev/null 2>&1; then
		die "something of the lab is left: $(nspawns) $(grep -F " $HOSTS/" /proc/self/mountinfo)"
	fi
}

cmd_status() {
	local name leader state
	host_names | grep -q . || { say "no lab is up" && return; }
	for name in $(host_names); do
		state=off
		leader=$(leader_of "$name") && state=running || leader=-
		if [ "$state" = running ] && ! ip link show "vb-$LAB_PREFIX$name" 2>/dev/null | grep -q ',UP'; then state='cut'; fi
		printf '%-12s %-15s %-8s %s\n' "$name" "$(address_of "$name")" "$state" "$leader"
	done
}

cmd_poweroff() {
	known_host "$1"
	kill_host "$1"
	write_hosts_json
}

cmd_poweron() {
	known_host "$1"
	[ -z "$(nspawn_of "$1")" ] || die "$1 is running"
	boot_host "$1"
	await_host "$1"
	write_hosts_json
}

cmd_reboot() {
	local pid end=$((SECONDS + LAB_DEADLINE))
	running_leader "$1" >/dev/null
	pid=$(nspawn_of "$1")
	cmd_exec "$1" systemctl --no-block reboot
	# With --keep-unit nspawn leaves the second half of a reboot to us.
	while [ -d "/proc/$pid" ]; do
		[ "$SECONDS" -lt "$end" ] || die "$1 did not shut down within $LAB_DEADLINE s"
		sleep 0.1
	done
	cmd_poweron "$1"
}

cmd_link() {
	running_leader "$1" >/dev/null
	ip link set "vb-$LAB_PREFIX$1" "$2"
}

cmd_signal_sshd() {
	local pid
	pid=$(cmd_exec "$1" systemctl show --property=MainPID --value ssh.service)
	[ "$pid" -gt 0 ] || die "no sshd runs on $1"
	cmd_exec "$1" kill "-$2" "$pid"
}

cmd_exec() {
	local leader
	leader=$(running_leader "$1")
	shift
	nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup \
		env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
}

# For after a failed test: the hosts' journals, and all small files of the clusters but their releases.
cmd_logs() {
	local name dir
	for name in $(host_names); do
		dir=$LOG/$name
		rm -rf "$dir"
		mkdir -p "$dir"
		if leader_of "$name" >/dev/null; then
			cmd_exec "$name" journalctl --no-pager >"$dir/journal" 2>&1 || true
			cmd_ps "$name" >"$dir/ps" 2>&1 || true
			cmd_exec "$name" sh -c 'cd /var/lib/clusterctl && find . -path "*/releases/*" -prune -o -type f -size -1024k -print0 |
				tar --null -T - -cf -' | tar -C "$dir" -xf - || true
		fi
	done
	say "the hosts' logs are in $LOG"
}

cmd_ps() { cmd_exec "$1" ps -eo pid,ppid,user,stat,lstart,args; }

cmd_small_disk() {
	case $2 in
	off) cmd_exec "$1" umount --lazy /var/lib/clusterctl ;;
	*)
		# shellcheck disable=SC2016  # expanded in the host
		cmd_exec "$1" sh -c 'mount -t tmpfs -o "size=$1,mode=0755,uid=$(stat -c %u /var/lib/clusterctl),gid=$(stat -c %g /var/lib/clusterctl)" tmpfs /var/lib/clusterctl' sh "$2"
		;;
	esac
}

cmd_simprefix() {
	local dir=${1:-$LAB_DIR/simprefix} sim=${ZEEK_SIM:-$LAB_TARGET/debug/zeek-sim}
	# One of yesterday would prove nothing.
	[ -n "${ZEEK_SIM:-}" ] || (cd "$LAB_REPO" && CARGO_TARGET_DIR=$LAB_TARGET cargo build -q --locked -p zeek-sim >&2) ||
		die "can't build zeek-sim"
	[ -x "$sim" ] || die "no $sim"
	mkdir -p "$dir/bin" "$dir/share/zeek/site" "$dir/etc"
	dir=$(cd "$dir" && pwd)
	# The folder may be shown to running hosts: replace the binary in it, not the folder. One that did not
	# change keeps its time, as an installed Zeek would.
	if ! cmp -s "$sim" "$dir/bin/zeek"; then
		cp "$sim" "$dir/bin/.zeek.new"
		mv "$dir/bin/.zeek.new" "$dir/bin/zeek"
	fi
	local capable=$LAB_DIR/zeek-cap/bin
	if [ "$dir" = "$LAB_DIR/simprefix" ] && [ -x "$capable/zeek" ] && ! cmp -s "$sim" "$capable/zeek"; then
		cp "$sim" "$capable/.zeek.new"
		setcap cap_net_raw,cap_net_admin+eip "$capable/.zeek.new"
		mv "$capable/.zeek.new" "$capable/zeek"
	fi
	# By that name it is the other program.
	ln -sf zeek "$dir/bin/zeek-archiver"
	printf '# Settings of zeek-sim, and what tells this folder from a real Zeek.\npackets=1000\n' >"$dir/etc/zeek-sim.conf"
	printf '%s\n' "$dir"
}

main() {
	local verb=${1:-}
	[ $# -gt 0 ] && shift
	case $verb in
	cut | join | freeze-sshd | thaw-sshd | poweroff | poweron | reboot | ps) [ $# = 1 ] || die "usage: lab.sh $verb NAME" ;;
	small-disk) [ $# = 2 ] || die "usage: lab.sh small-disk NAME SIZE" ;;
	exec) [ $# -ge 2 ] || die "usage: lab.sh exec NAME COMMAND..." ;;
	esac
	case $verb in
	base) cmd_base && base_path "$(base_suite)" ;;
	up) cmd_up "$@" ;;
	down) cmd_down ;;
	status) cmd_status ;;
	simprefix) cmd_simprefix "$@" ;;
	poweroff) cmd_poweroff "$1" ;;
	poweron) cmd_poweron "$1" ;;
	reboot) cmd_reboot "$1" ;;
	cut) cmd_link "$1" down ;;
	join) cmd_link "$1" up ;;
	freeze-sshd) cmd_signal_sshd "$1" STOP ;;
	thaw-sshd) cmd_signal_sshd "$1" CONT ;;
	exec) cmd_exec "$@" ;;
	ps) cmd_ps "$1" ;;
	logs) cmd_logs ;;
	small-disk) cmd_small_disk "$1" "$2" ;;
	-h | --help | help) usage ;;
	*)
		usage >&2
		exit 2
		;;
	esac
}

main "$@"
