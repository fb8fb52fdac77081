
# This version's WebSocket is Broker's own: what a client publishes gets no further than the manager, and what other nodes
# publish does not reach the client. The manager passes both on.

global relayed: set[string] &create_expire=1min;

event Clusterctl::status_request(request: string)
	{
	if ( Cluster::local_node_type() != Cluster::MANAGER )
		{
		Broker::publish(Cluster::manager_topic, Clusterctl::status_response, request, node, status_json());
		return;
		}

	# It comes once for each node that is asked.
	if ( request in relayed )
		return;

	add relayed[request];

	local topic = Control::topic_prefix + "/clusterctl/" + node;
	Broker::publish(topic, Clusterctl::status_response, request, node, status_json());

	for ( name, n in Cluster::nodes )
		{
		if ( n?$id )
			Broker::publish(Cluster::node_topic(name), Clusterctl::status_request, request);
		}
	}

event Clusterctl::status_response(request: string, name: string, status: string)
	{
	if ( Cluster::local_node_type() != Cluster::MANAGER )
		return;

	local topic = Control::topic_prefix + "/clusterctl/" + name;
	Broker::publish(topic, Clusterctl::status_response, request, name, status);
	}

event Clusterctl::events_request(request: string, name: string, pid: string, after: string)
	{
	if ( Cluster::local_node_type() != Cluster::MANAGER )
		{
		Broker::publish(Cluster::manager_topic, Clusterctl::events_response, request, node, events_json(pid, after));
		return;
		}

	if ( name != node )
		{
		Broker::publish(Cluster::node_topic(name), Clusterctl::events_request, request, name, pid, after);
		return;
		}

	local topic = Control::topic_prefix + "/clusterctl/" + node;
	Broker::publish(topic, Clusterctl::events_response, request, node, events_json(pid, after));
	}

event Clusterctl::events_response(request: string, name: string, events: string)
	{
	if ( Cluster::local_node_type() != Cluster::MANAGER )
		return;

	local topic = Control::topic_prefix + "/clusterctl/" + name;
	Broker::publish(topic, Clusterctl::events_response, request, name, events);
	}
