
event Clusterctl::status_request(request: string)
	{
	local topic = Control::topic_prefix + "/clusterctl/" + node;
	Cluster::publish(topic, Clusterctl::status_response, request, node, status_json());
	}
