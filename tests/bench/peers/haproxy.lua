-- Reads a line, as all that a service of HAProxy's can wait for, and writes it back in upper case.
core.register_service("echo", "tcp", function(applet)
	while true do
		local line = applet:getline()
		if line == nil or #line == 0 then
			return
		end
		applet:send(string.upper(line))
	end
end)
