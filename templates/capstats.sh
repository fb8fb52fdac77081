# Samples the kernel's counters of interfaces twice. Argument: the seconds between. Input: interfaces, one a line, and an
# empty line. Answers, of each sample: `at SECONDS` since boot, `counters PACKETS BYTES DROPPED ERRORS NAME` of each that
# there is.
wanted=' '
while IFS= read -r name && [ -n "$name" ]; do
	wanted="$wanted$name "
done
sample() {
	read -r up _ </proc/uptime
	say at "$up"
	# Some kernels write no blank behind the colon.
	sed 's/:/ /' /proc/net/dev | while read -r name bytes packets errors dropped _; do
		case $wanted in
		*" $name "*) say counters "$packets $bytes $dropped $errors $name" ;;
		esac
	done
}
sample
sleep "$1"
sample
say sampled
