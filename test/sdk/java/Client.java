import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;

/**
 * Makes one call with langchain4j, as an application would, and prints one JSON object: the version, whether it
 * succeeded, the error, the seconds. Nothing here knows of Outrigger. With CREATES set in the environment the chat is stored,
 * with STREAMS it is streamed.
 *
 * <pre>java -cp 'JARS/*' Client.java langchain4j BASE_URL [RETRIES]</pre>
 */
public final class Client {
    public static void main(String[] arguments) {
        long start = System.nanoTime();
        String error = "";
        try {
            if (System.getenv("STREAMS") != null) {
                stream(arguments[1]);
                print(start, error);
                return;
            }
            var builder = OpenAiChatModel.builder().baseUrl(arguments[1]).apiKey("sk-test").modelName("gpt-4.1");
            if (System.getenv("CREATES") != null) {
                builder.store(true);
            }
            if (arguments.length > 2) {
                builder.maxRetries(Integer.parseInt(arguments[2]));
            }
            builder.build().chat("Why does a canoe need an outrigger?");
        } catch (RuntimeException e) {
            error = e.getClass().getSimpleName() + ": " + e.getMessage();
        }
        print(start, error);
    }

    /** Streams one answer; whatever the application would hear of as an error is thrown. */
    private static void stream(String base) {
        var done = new CompletableFuture<ChatResponse>();
        OpenAiStreamingChatModel.builder().baseUrl(base).apiKey("sk-test").modelName("gpt-4.1").build()
                .chat("Why does a canoe need an outrigger?", new StreamingChatResponseHandler() {
                    @Override
                    public void onPartialResponse(String part) {}

                    @Override
                    public void onCompleteResponse(ChatResponse whole) {
                        done.complete(whole);
                    }

                    @Override
                    public void onError(Throwable error) {
                        done.completeExceptionally(error);
                    }
                });
        done.join();
    }

    private static void print(long start, String error) {
        String jar = OpenAiChatModel.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        System.out.printf(Locale.ROOT, "{\"version\": \"%s\", \"ok\": %b, \"error\": \"%s\", \"seconds\": %.3f}%n",
                jar.substring(jar.lastIndexOf('/') + 1), error.isEmpty(),
                error.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " "), (System.nanoTime() - start) / 1e9);
    }
}
