
global traffic_relayed: set[string] &create_expire=1min;

event Clusterctl::traffic_request(request: string, looker: string, seconds: string)
	{
	local answer = "";

	if ( Cluster::local_node_type() != Cluster::MANAGER )
		{
		answer = traffic_json();
		look(looker, to_count(seconds));
		Broker::publish(Cluster::manager_topic, Clusterctl::traffic_response, request, node, answer);
		return;
		}

	if ( request in traffic_relayed )
		return;

	add traffic_relayed[request];
	answer = traffic_json();
	look(looker, to_count(seconds));
	Broker::publish(Control::topic_prefix + "/clusterctl/" + node, Clusterctl::traffic_response, request, node, answer);

	for ( name, n in Cluster::nodes )
		{
		if ( n?$id )
			Broker::publish(Cluster::node_topic(name), Clusterctl::traffic_request, request, looker, seconds);
		}
	}

event Clusterctl::traffic_response(request: string, name: string, traffic: string)
	{
	if ( Cluster::local_node_type() != Cluster::MANAGER )
		return;

	Broker::publish(Control::topic_prefix + "/clusterctl/" + name, Clusterctl::traffic_response, request, name, traffic);
	}
