# Does what the verb says; the last part of node.sh.
case $verb in
may) may ;;
run) cleanly sh "$0" running "$home" "$dir" "$release" "$node" ;;
running) run_node ;;
parse) cleanly sh "$0" parsing "$home" "$dir" "$release" "$node" "$6" ;;
parsing) parse_node "$6" ;;
asked) asked ;;
ended) record "$6" "${7:--}" ;;
backtrace) backtrace "$6" ;;
esac
