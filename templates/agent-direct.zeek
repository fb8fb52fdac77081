
# With Broker, a node that peers in the moment in which the first client subscribes may never learn of it, and answers to
# nobody: subscribe to what clients will, before there are any peers.
event zeek_init()
	{
	if ( Cluster::local_node_type() != Cluster::MANAGER || getenv("ZEEKCTL_CHECK_CONFIG") != "" )
		return;

	Cluster::subscribe(Control::topic_prefix + "/clusterctl/");

	for ( command in Control::commands )
		Cluster::subscribe(Control::topic_prefix + "/" + command + "_response");
	}

event Clusterctl::status_request(request: string)
	{
	local topic = Control::topic_prefix + "/clusterctl/" + node;
	Cluster::publish(topic, Clusterctl::status_response, request, node, status_json());
	}

event Clusterctl::events_request(request: string, name: string, pid: string, after: string)
	{
	local topic = Control::topic_prefix + "/clusterctl/" + node;
	Cluster::publish(topic, Clusterctl::events_response, request, node, events_json(pid, after));
	}
