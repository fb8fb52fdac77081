# How many rotated logs wait, and why. Arguments: the cluster's folder, the spool folder.
home=$1 spool=$2 archiver='' queued=0
log_settings "$home/current/clusterctl/logs.conf" 2>/dev/null
count_queue
why=''
if [ ! -x "$archiver" ]; then
	why="there is no $archiver"
elif [ -s "$spool/nodes/log-archiver/last" ]; then
	why="zeek-archiver said: $(tail -n 1 "$spool/nodes/log-archiver/last")"
fi
say queue "$queued $why"
