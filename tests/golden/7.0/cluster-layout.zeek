##! Layout of the cluster campus; written by clusterctl.

redef Cluster::nodes = {
	["logger-1"] = [$node_type=Cluster::LOGGER, $ip=10.0.0.10, $p=27761/tcp, $metrics_port=9992/tcp],
	["logger-2"] = [$node_type=Cluster::LOGGER, $ip=10.0.0.10, $p=27762/tcp, $metrics_port=9993/tcp],
	["manager"] = [$node_type=Cluster::MANAGER, $ip=10.0.0.10, $p=27760/tcp, $metrics_port=9991/tcp],
	["proxy-1"] = [$node_type=Cluster::PROXY, $ip=10.0.0.10, $p=27780/tcp, $manager="manager", $metrics_port=10011/tcp],
	["dmz-sensor1-1"] = [$node_type=Cluster::WORKER, $ip=10.0.0.11, $interface="af_packet::eth1", $manager="manager", $time_machine="time-machine", $metrics_port=10031/tcp],
	["dmz-sensor2-1"] = [$node_type=Cluster::WORKER, $ip=[2001:db8::12], $zone_id="eth0", $interface="af_packet::eth1", $manager="manager", $time_machine="time-machine", $metrics_port=10031/tcp],
	["time-machine"] = [$node_type=Cluster::TIME_MACHINE, $ip=10.0.0.10, $p=27798/tcp],
	["control"] = [$node_type=Cluster::CONTROL, $ip=10.0.0.10, $p=27799/tcp],
};

redef Cluster::manager_is_logger = F;
