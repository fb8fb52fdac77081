
event Clusterctl::traffic_request(request: string, looker: string, seconds: string)
	{
	local answer = traffic_json();
	look(looker, to_count(seconds));
	Cluster::publish(Control::topic_prefix + "/clusterctl/" + node, Clusterctl::traffic_response, request, node, answer);
	}
