# What was done on a host. Arguments: the cluster's folder, how many lines at most. Answers: `did SECONDS begin|end ...`, the
# oldest first, as history-note.sh wrote them; `did end`.
home=$1
for file in "$home/history.1" "$home/history"; do
	if [ -f "$file" ] && [ ! -L "$file" ]; then
		tail -c 131072 "$file"
	fi
done 2>/dev/null | tail -n "$2" | sed "s/^/$T did /"
say did end
