"""The two web servers with the bounds that both lack: how long half a request may take, what an address may hold."""
