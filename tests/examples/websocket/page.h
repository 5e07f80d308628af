/* The page: HTML with a script, which needs nothing else. */
#ifndef WEBSOCKET_PAGE_H
#define WEBSOCKET_PAGE_H

extern const char page[];

#endif
