// A peer: Boost.Asio with callbacks, one thread.
#include <boost/asio.hpp>
#include <cstdio>
#include <memory>

#include "tests/bench/peers/upper.h"

using boost::asio::ip::tcp;

class session : public std::enable_shared_from_this<session> {
public:
	explicit session(tcp::socket socket) : socket_(std::move(socket)) {}

	void read()
	{
		auto self = shared_from_this();

		socket_.async_read_some(boost::asio::buffer(bytes_),
			[this, self](boost::system::error_code error, std::size_t length) {
				if (!error)
					write(length);
			});
	}

private:
	void write(std::size_t length)
	{
		auto self = shared_from_this();

		upper(bytes_, length);
		boost::asio::async_write(socket_, boost::asio::buffer(bytes_, length),
			[this, self](boost::system::error_code error, std::size_t) {
				if (!error)
					read();
			});
	}

	tcp::socket socket_;
	char bytes_[16384];
};

static void
accept(tcp::acceptor &acceptor)
{
	acceptor.async_accept([&acceptor](boost::system::error_code error, tcp::socket socket) {
		if (!error) {
			socket.set_option(tcp::no_delay(true));
			std::make_shared<session>(std::move(socket))->read();
		}
		accept(acceptor);
	});
}

int
main()
{
	boost::asio::io_context context(1);
	tcp::acceptor acceptor(context, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));

	acceptor.listen(4096);
	std::fprintf(stderr, "ready: 127.0.0.1:%u\n", acceptor.local_endpoint().port());
	accept(acceptor);
	context.run();
}
